/*
 * GET /media/<queue>/<key> - a file that came with a submission (R42).
 *
 *   api_media    is the link good?
 *   placed       open the file
 *   opened       send the head
 *   next_piece   read a piece
 *   piece_read   send it; when it is written, the next one
 *
 * Whoever has a link needs no login: its signature speaks for the bearer.
 * What is not there, not ours and not signed is all the same 404.
 */
#include "server/api/media.h"

#include "server/api/media_places.h"
#include "server/api/reply.h"
#include "server/base/clock.h"
#include "server/base/percent.h"
#include "server/config/config.h"
#include "server/http/range.h"
#include "server/storage/file_key.h"
#include "server/storage/storage.h"

#include <string.h>

enum { PIECE_BYTES = 64 * 1024 };

struct media {
    struct media_place place;
    struct storage_open open;
    struct storage_read read;
    struct http_stream *stream;
    int status;    /* as sent */
    uint64_t left; /* bytes to be sent */
    bool client_gone;
};

static task_step api_media;
static task_step placed;
static task_step opened;
static task_step next_piece;
static task_step piece_read;
static struct text path_below(const struct env *env, struct text path);
static bool read_path(struct task *task, struct storage_file *file);
static const char *refuse_link(struct task *task,
                               const struct storage_file *file);
static void begin(struct task *task);
static enum range_status choose(struct task *task, struct range *range);
static void on_written(struct http_stream *stream, bool gone, void *context);
static enum step end(struct task *task);
static void leave(struct task *task);

static const struct route route = {
    .name = "media",
    .access = ACCESS_OPEN,
    .methods = "GET, HEAD",
    .handle = api_media,
};

const struct route *media_route(const struct env *env, struct text path)
{
    return text_is_absent(path_below(env, path)) ? NULL : &route;
}

/*
 * What comes after MEDIA_URL; absent when the path is not below it. More than
 * one slash in front is one: the command line of Tutor makes such links.
 */
static struct text path_below(const struct env *env, struct text path)
{
    const char *prefix = env->config->media_url;
    const size_t size = strlen(prefix);

    while (path.size > 1 && path.data[0] == '/' && path.data[1] == '/') {
        path.data++;
        path.size--;
    }
    if (!text_starts_with(path, prefix))
        return TEXT_ABSENT;
    return (struct text){path.data + size, path.size - size};
}

static enum step api_media(struct task *task)
{
    struct media *self = request_new_state(task, sizeof *self);
    struct env *env = task->env;
    const char *refusal;

    if (!read_path(task, &self->open.file))
        return reply_not_found(task, "not the path of a file");
    request_of(task)->queue = self->open.file.queue_name;
    if (env->storage == NULL)
        return reply_busy(task, "there is no storage for files");
    refusal = refuse_link(task, &self->open.file);
    if (refusal != NULL)
        return reply_not_found(task, refusal);
    return media_places_await(env->media_places, task, &self->place, placed);
}

/*
 * The queue may be written in any way that percent signs allow, as proxies
 * rewrite it, but for a slash, which would end it.
 */
static bool read_path(struct task *task, struct storage_file *file)
{
    struct text path = path_below(task->env, http_path(request_of(task)->http));
    const char *slash = memrchr(path.data, '/', path.size);
    struct text queue;
    struct text key;

    if (slash == NULL || slash == path.data)
        return false;
    queue = (struct text){path.data, (size_t)(slash - path.data)};
    key = (struct text){slash + 1, path.size - queue.size - 1};
    if (memchr(queue.data, '/', queue.size) != NULL || !file_key_is_valid(key))
        return false;
    file->queue_name = percent_decode(task->arena, queue, PERCENT_PLUS_STAYS);
    memcpy(file->key, key.data, FILE_KEY_SIZE);
    return true;
}

/* NULL when it is good. */
static const char *refuse_link(struct task *task,
                               const struct storage_file *file)
{
    switch (storage_link_check(
        task->env->storage, file->queue_name, text_of(file->key),
        http_query(request_of(task)->http), clock_wall_us() / 1000000)) {
    case STORAGE_LINK_VALID:
        return NULL;
    case STORAGE_LINK_EXPIRED:
        return "the link has expired";
    case STORAGE_LINK_BAD:
        break;
    }
    return "the link is not signed, or wrongly";
}

static enum step placed(struct task *task)
{
    struct media *self = request_of(task)->state;

    if (self->place.state == MEDIA_PLACE_NONE)
        return reply_busy(task, "too many files are being sent");
    return storage_await_open(task->env->storage, task, &self->open, opened);
}

static enum step opened(struct task *task)
{
    struct media *self = request_of(task)->state;

    if (self->open.status == STORAGE_OK) {
        begin(task);
        return next_piece(task);
    }
    leave(task);
    if (self->open.status == STORAGE_NOT_FOUND)
        return reply_not_found(task, "no such file");
    return reply_busy(task, self->open.reason);
}

static void begin(struct task *task)
{
    const struct request *request = request_of(task);
    struct media *self = request->state;
    const uint64_t size = (uint64_t)self->open.file.size;
    struct range range = {0, size};
    const enum range_status chosen = choose(task, &range);
    struct http_reply_field fields[] = {
        {"Content-Disposition", "attachment"},
        {"Accept-Ranges", "bytes"},
        {"Cache-Control", "private"},
        {"Content-Range", NULL},
    };
    struct http_reply reply = {
        .status = 200,
        .content_type = "application/octet-stream",
        .fields = fields,
        .field_count = ARRAY_LENGTH(fields),
    };

    if (chosen == RANGE_PART) {
        reply.status = 206;
        fields[3].value = range_format(task->arena, &range, size);
    } else if (chosen == RANGE_BEYOND) {
        reply.status = 416;
        fields[3].value = range_format_beyond(task->arena, size);
    } else {
        reply.field_count--;
    }
    self->status = reply.status;
    self->read.reader = self->open.reader;
    self->read.offset = (int64_t)range.first;
    self->read.buffer = arena_alloc(task->arena, PIECE_BYTES);
    self->left = http_method(request->http) == HTTP_HEAD ? 0 : range.size;
    self->stream = http_reply_begin(request->http, &reply, range.size);
    self->place.stream = self->stream;
}

/* Only GET has ranges. Beyond the end there is nothing to send. */
static enum range_status choose(struct task *task, struct range *range)
{
    const struct http_request *http = request_of(task)->http;
    enum range_status chosen = RANGE_ALL;

    if (http_method(http) == HTTP_GET)
        chosen = range_choose(http_field(http, "Range"),
                              http_field(http, "If-Range"), range->size, range);
    if (chosen == RANGE_BEYOND)
        range->size = 0;
    return chosen;
}

static enum step next_piece(struct task *task)
{
    struct media *self = request_of(task)->state;

    self->place.is_client_due = false;
    if (self->left == 0 || self->client_gone ||
        self->place.state == MEDIA_PLACE_LOST)
        return end(task);
    self->read.size = self->left < PIECE_BYTES ? self->left : PIECE_BYTES;
    return storage_await_read(task->env->storage, task, &self->read,
                              piece_read);
}

/* A stored file is never changed: one that is shorter now is damaged. */
static enum step piece_read(struct task *task)
{
    struct media *self = request_of(task)->state;
    const struct storage_read *read = &self->read;

    if (read->status != STORAGE_OK || read->got < read->size)
        return end(task);
    self->left -= read->got;
    self->read.offset += (int64_t)read->got;
    self->place.is_client_due = true;
    http_reply_piece(self->stream, (struct text){read->buffer, read->got},
                     on_written, task);
    return task_wait(task, next_piece);
}

static void on_written(struct http_stream *stream, bool gone, void *context)
{
    struct task *task = context;
    struct media *self = request_of(task)->state;

    (void)stream;
    self->client_gone = gone;
    task_resume(task);
}

static enum step end(struct task *task)
{
    const struct media *self = request_of(task)->state;
    const char *result = "ok";

    if (self->client_gone)
        result = "the client has gone";
    else if (self->left > 0 && self->place.state == MEDIA_PLACE_LOST)
        result = "the client was too slow and others waited";
    else if (self->left > 0)
        result = self->read.status == STORAGE_OK ? "the file broke off"
                                                 : self->read.reason;
    leave(task);
    return reply_end(task, self->stream, self->status, result);
}

static void leave(struct task *task)
{
    struct media *self = request_of(task)->state;

    storage_close(self->open.reader);
    self->open.reader = NULL;
    media_places_leave(task->env->media_places, &self->place);
}

/*
 * Every answer of the XQueue protocol.
 */
#include "server/api/reply.h"

#include "server/api/route.h"
#include "server/base/json.h"
#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>

enum { RETRY_AFTER_S = 2, LOGGED_BYTES = 160 };

struct answer {
    struct http_reply http;
    struct text result;       /* for the log: "ok" or the reason */
    const struct db_job *job; /* what went wrong, or NULL */
};

static enum step fail(struct task *task, struct text reason);
static struct text compose(struct task *task, int return_code,
                           struct text content);
static enum step send(struct task *task, const struct answer *answer);
static void log_request(struct task *task, const struct answer *answer);
static enum log_level level_of(const struct request *request,
                               const struct answer *answer);
static struct text cut(struct text text);

enum step reply_ok(struct task *task, struct text content)
{
    return reply_ok_written(task, compose(task, 0, content));
}

enum step reply_ok_number(struct task *task, int64_t number)
{
    return reply_ok_written(
        task, text_of(arena_printf(task->arena,
                                   "{\"return_code\": 0, \"content\": %lld}",
                                   (long long)number)));
}

enum step reply_ok_written(struct task *task, struct text body)
{
    const struct answer answer = {
        .http = {.status = 200, .body = body},
        .result = text_of("ok"),
    };

    return send(task, &answer);
}

enum step reply_ok_cookie(struct task *task, struct text content,
                          const char *cookie)
{
    const struct http_reply_field fields[] = {
        {"Set-Cookie", cookie},
        {"Cache-Control", "no-store"},
    };
    const struct answer answer = {
        .http = {.status = 200,
                 .fields = fields,
                 .field_count = ARRAY_LENGTH(fields),
                 .body = compose(task, 0, content)},
        .result = text_of("ok"),
    };

    return send(task, &answer);
}

enum step reply_fail(struct task *task, const char *reason)
{
    return fail(task, text_of(reason));
}

enum step reply_fail_queue(struct task *task, struct text name,
                           const char *what)
{
    struct buffer reason = {NULL, 0, 0};

    buffer_append_string(&reason, "Queue '");
    buffer_append_text(&reason, name);
    buffer_printf(&reason, "' %s", what);
    arena_defer(task->arena, free, reason.data);
    return fail(task, buffer_text(&reason));
}

enum step reply_unavailable(struct task *task, const struct db_job *job)
{
    const char *seconds = arena_printf(task->arena, "%d", RETRY_AFTER_S);
    const struct http_reply_field fields[] = {{"Retry-After", seconds}};
    const struct answer answer = {
        .http = {.status = 503,
                 .fields = fields,
                 .field_count = ARRAY_LENGTH(fields),
                 .body = compose(task, 1,
                                 text_of("Service unavailable, try again"))},
        .result = text_of("unavailable"),
        .job = job,
    };

    return send(task, &answer);
}

enum step reply_busy(struct task *task, const char *what)
{
    struct db_job job = {.status = DB_AWAY};

    snprintf(job.error, sizeof job.error, "%s", what);
    return reply_unavailable(task, &job);
}

enum step reply_redirect(struct task *task, int status, const char *location)
{
    const struct http_reply_field fields[] = {{"Location", location}};
    const struct answer answer = {
        .http = {.status = status,
                 .fields = fields,
                 .field_count = ARRAY_LENGTH(fields),
                 .body = text_of("")},
        .result = text_of("redirect"),
    };

    return send(task, &answer);
}

enum step reply_refused(struct task *task, int status, const char *reason,
                        const char *allow)
{
    const struct http_reply_field fields[] = {{"Allow", allow}};
    const struct answer answer = {
        .http = {.status = status,
                 .fields = fields,
                 .field_count = allow == NULL ? 0 : 1,
                 .body = compose(task, 1, text_of(reason))},
        .result = text_of(reason),
    };

    return send(task, &answer);
}

enum step reply_not_found(struct task *task, const char *why)
{
    struct db_job job = {.status = DB_NOT_FOUND};
    const struct answer answer = {
        .http = {.status = 404, .body = compose(task, 1, text_of("Not found"))},
        .result = text_of("Not found"),
        .job = &job,
    };

    snprintf(job.error, sizeof job.error, "%s", why);
    return send(task, &answer);
}

enum step reply_end(struct task *task, struct http_stream *stream, int status,
                    const char *result)
{
    const struct answer answer = {
        .http = {.status = status},
        .result = text_of(result),
    };

    log_request(task, &answer);
    http_reply_end(stream);
    return task_end(task);
}

enum step reply_form_refused(struct task *task, enum form_status status)
{
    if (status == FORM_UNSUPPORTED)
        return reply_refused(task, 415, "The form is not in UTF-8", NULL);
    if (status == FORM_TOO_MANY)
        return reply_refused(task, 400, "The form has too many fields", NULL);
    return reply_refused(task, 400, "The form is malformed", NULL);
}

static enum step fail(struct task *task, struct text reason)
{
    const struct answer answer = {
        .http = {.status = 200, .body = compose(task, 1, reason)},
        .result = reason,
    };

    return send(task, &answer);
}

/* The envelope as Python's json.dumps writes it (R6, R61). */
static struct text compose(struct task *task, int return_code,
                           struct text content)
{
    struct buffer body = {NULL, 0, 0};

    buffer_printf(&body, "{\"return_code\": %d, \"content\": ", return_code);
    json_append_string(&body, content);
    buffer_append_char(&body, '}');
    arena_defer(task->arena, free, body.data);
    return buffer_text(&body);
}

static enum step send(struct task *task, const struct answer *answer)
{
    log_request(task, answer);
    http_reply(request_of(task)->http, &answer->http);
    return task_end(task);
}

/* No body, no field of the client's but the queue's name ever gets here. */
static void log_request(struct task *task, const struct answer *answer)
{
    const struct request *request = request_of(task);
    const struct db_job *job = answer->job;
    enum log_level level = level_of(request, answer);
    struct text reason = TEXT_ABSENT;
    struct text submission = TEXT_ABSENT;

    if (!log_is_on(level))
        return;
    if (job != NULL && job->status != DB_OK)
        reason = text_of(job->error[0] != '\0' ? job->error
                                               : db_status_name(job->status));
    if (request->submission != 0)
        submission = text_of(
            arena_printf(task->arena, "%lld", (long long)request->submission));
    log_event(
        level, request->route == NULL ? "no_route" : request->route->name,
        log_integer("req", (int64_t)task->number),
        log_string("method", http_method_name(request->http)),
        log_text("queue", cut(request->queue)),
        log_text("submission", submission), log_text("user", request->username),
        log_integer("status", answer->http.status),
        log_integer("ms", task_age_ms(task)),
        log_text("result", cut(answer->result)), log_text("reason", reason));
}

static enum log_level level_of(const struct request *request,
                               const struct answer *answer)
{
    if (answer->http.status >= 500)
        return LOG_WARNING;
    return request->is_routine ? LOG_DEBUG : LOG_INFO;
}

/* A client may ask for a queue with a name of any length. */
static struct text cut(struct text text)
{
    if (text.size > LOGGED_BYTES)
        text.size = LOGGED_BYTES;
    return text;
}

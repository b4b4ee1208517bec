/*
 * Files in an S3 bucket: the beginning and the end, and links.
 */
#include "server/storage/s3.h"

#include "server/base/memory.h"
#include "server/fetch/fetch.h"
#include "server/task/loop.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_REGION "us-east-1"

static bool start(struct storage *storage,
                  const struct storage_settings *settings, char **ret_error);
static bool find_bucket(struct s3 *s3, const struct storage_settings *settings,
                        char **ret_error);
static const char *region_of(const struct storage_settings *settings);
static bool read_addressing(const char *word, enum s3_addressing *ret_style);
static const char *keep(struct s3 *s3, const char *text);
static void stop(struct storage *storage);
static struct text make_link(const struct storage *storage, struct arena *arena,
                             struct text queue_name, const char *key,
                             struct text base, int64_t now_s);

const struct storage_backend s3_backend = {
    .start = start,
    .stop = stop,
    .await_put = s3_await_put,
    .await_get = s3_await_get,
    .await_delete = s3_await_delete,
    .await_list = s3_await_list,
    .link = make_link,
};

struct text s3_key_of(struct text queue_name, const char *key,
                      struct arena *arena)
{
    return text_of(
        arena_printf(arena, "%.*s/%s", TEXT_ARGUMENTS(queue_name), key));
}

enum step s3_await(struct task *task, const void *state, size_t size,
                   task_step *first, task_step *next)
{
    const enum step step = task_wait(task, next);
    struct task *own = task_new(task->env, size);

    memcpy(own->self, state, size);
    task_run(own, first);
    return step;
}

enum step s3_end(struct task *task, struct task *parent)
{
    const enum step step = task_end(task);

    task_resume(parent);
    return step;
}

static bool start(struct storage *storage,
                  const struct storage_settings *settings, char **ret_error)
{
    const struct fetcher_settings fetcher = {
        .max_connections = S3_MOST_CONNECTIONS,
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };
    struct s3 *s3 = xcalloc(1, sizeof *s3);

    storage->state = s3;
    s3->env = storage->env;
    s3->arena = arena_new();
    s3->verify_tls = settings->verify_tls;
    s3->ca_file = keep(s3, settings->ca_file);
    s3->link_lifetime_s = settings->link_lifetime_s;
    if (!find_bucket(s3, settings, ret_error))
        return false;
    fetch_library_start();
    s3->fetcher = fetcher_new(loop_base(s3->env->loop), &fetcher);
    s3->keys = s3_credentials_new(s3->env->loop, settings, ret_error);
    return s3->keys != NULL;
}

static bool find_bucket(struct s3 *s3, const struct storage_settings *settings,
                        char **ret_error)
{
    struct s3_address address;

    if (settings->bucket == NULL || settings->bucket[0] == '\0') {
        *ret_error = xstrdup("UPLOAD_BUCKET is not set");
        return false;
    }
    s3->bucket = (struct s3_bucket){
        .endpoint = keep(s3, settings->endpoint),
        .region = keep(s3, region_of(settings)),
        .name = keep(s3, settings->bucket),
        .prefix = keep(s3, settings->prefix),
    };
    if (!read_addressing(settings->addressing, &s3->bucket.addressing)) {
        *ret_error = xstrdup("AWS_S3_ADDRESSING_STYLE must be \"auto\", "
                             "\"virtual\" or \"path\"");
        return false;
    }
    if (s3_address_of(&s3->bucket, TEXT_ABSENT, s3->arena, &address))
        return true;
    *ret_error = xstrdup("AWS_S3_ENDPOINT_URL, AWS_S3_REGION_NAME and "
                         "UPLOAD_BUCKET do not make a URL");
    return false;
}

static const char *region_of(const struct storage_settings *settings)
{
    const char *const regions[] = {
        settings->region,
        getenv("AWS_REGION"),
        getenv("AWS_DEFAULT_REGION"),
    };

    for (size_t i = 0; i < ARRAY_LENGTH(regions); i++) {
        if (regions[i] != NULL && regions[i][0] != '\0')
            return regions[i];
    }
    return DEFAULT_REGION;
}

static bool read_addressing(const char *word, enum s3_addressing *ret_style)
{
    static const char *const words[] = {
        [S3_ADDRESSING_AUTO] = "auto",
        [S3_ADDRESSING_VIRTUAL] = "virtual",
        [S3_ADDRESSING_PATH] = "path",
    };

    if (word == NULL)
        word = words[S3_ADDRESSING_AUTO];
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret_style = (enum s3_addressing)i;
            return true;
        }
    }
    return false;
}

/* An empty text is as good as none. */
static const char *keep(struct s3 *s3, const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL
                                           : arena_strdup(s3->arena, text);
}

static void stop(struct storage *storage)
{
    struct s3 *s3 = storage->state;

    if (s3 == NULL)
        return;
    if (s3->fetcher != NULL)
        fetcher_free(s3->fetcher);
    s3_credentials_free(s3->keys);
    if (s3->fetcher != NULL)
        fetch_library_stop();
    arena_free(s3->arena);
    free(s3);
}

/* `base` is ours, and the bucket has an address of its own. */
static struct text make_link(const struct storage *storage, struct arena *arena,
                             struct text queue_name, const char *key,
                             struct text base, int64_t now_s)
{
    const struct s3 *s3 = storage->state;
    struct sigv4_credentials credentials = {
        .region = s3->bucket.region,
        .service = "s3",
    };
    struct sigv4_request request = {.method = "GET", .time_s = now_s};
    struct s3_address address;

    (void)base;
    if (!s3_credentials_copy(s3->keys, arena, &credentials) ||
        !s3_address_of(&s3->bucket, s3_key_of(queue_name, key, arena), arena,
                       &address))
        return TEXT_ABSENT;
    request.host = address.host;
    request.path = address.path;
    return text_of(arena_printf(
        arena, "%s%s", address.origin.data,
        sigv4_presign(&credentials, &request, s3->link_lifetime_s, arena)));
}

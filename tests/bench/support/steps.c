/*
 * Single steps as loads over HTTP.
 */
#include "tests/bench/support/steps.h"

#include "server/base/memory.h"
#include "tests/bench/support/http_load.h"
#include "tests/bench/support/report.h"
#include "tests/bench/support/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 32 };

struct pulled {
    int64_t id;
    char key[KEY_SIZE + 1];
};

struct mean {
    int64_t sum_us;
    int64_t count;
};

struct steps {
    struct steps_settings settings;
    char cookie[64];
    char origin[64];
    char *body;
    int64_t number; /* of the next submission */
    struct pulled *pulled;
    size_t pulled_count;
    size_t answered_count; /* of pulled */

    /* Of the run. */
    enum step step;
    const char *queue;
    char path[128];
    struct mean submits;
    struct mean pulls;
    int64_t empty;
};

static enum http_load_go next(struct http_load_client *client,
                              struct buffer *request, void *context);
static enum step step_of(const struct steps *steps,
                         const struct http_load_client *client);
static int64_t next_number(struct steps *steps);
static void write_submission(struct steps *steps, struct buffer *request);
static bool write_result(struct steps *steps, struct buffer *request);
static bool answered(struct http_load_client *client,
                     const struct http_load_reply *reply, void *context);
static bool take_pulled(struct steps *steps, struct text body);
static bool read_pulled(const char *body, struct pulled *ret_pulled);
static void mean_add(struct mean *mean, int64_t latency_us);
static double mean_ms(const struct mean *mean);
static int compare_ids(const void *a, const void *b);

struct steps *steps_new(const struct steps_settings *settings)
{
    struct steps *steps = xcalloc(1, sizeof *steps);

    steps->settings = *settings;
    snprintf(steps->cookie, sizeof steps->cookie, "%s", settings->cookie);
    snprintf(steps->origin, sizeof steps->origin, "%s", settings->origin);
    steps->body = xmalloc(settings->body_bytes + 1);
    memset(steps->body, 'x', settings->body_bytes);
    return steps;
}

void steps_free(struct steps *steps)
{
    free(steps->pulled);
    free(steps->body);
    free(steps);
}

struct steps_result steps_run(struct steps *steps, enum step step,
                              const char *queue, size_t clients, double seconds)
{
    struct http_load_result result;

    steps->step = step;
    steps->queue = queue;
    snprintf(steps->path, sizeof steps->path,
             step == STEP_LENGTH ? "/xqueue/get_queuelen/?queue_name=%s"
                                 : "/xqueue/get_submission/?queue_name=%s",
             queue);
    steps->submits = (struct mean){0, 0};
    steps->pulls = (struct mean){0, 0};
    steps->empty = 0;
    result = http_load_run(&(struct http_load_settings){
        .port = steps->settings.port,
        .clients = clients,
        .seconds = seconds,
        .next = next,
        .answered = answered,
        .context = steps,
    });
    report_check(result.failed == 0, "%lld requests failed",
                 (long long)result.failed);
    return (struct steps_result){
        .per_second = (double)(result.answered - steps->empty) / result.seconds,
        .submit_ms = mean_ms(&steps->submits),
        .pull_ms = mean_ms(&steps->pulls),
        .empty = steps->empty,
    };
}

int64_t steps_pulled(const struct steps *steps)
{
    return (int64_t)steps->pulled_count;
}

int64_t steps_duplicates(const struct steps *steps)
{
    int64_t *ids = xcalloc(steps->pulled_count + 1, sizeof *ids);
    int64_t duplicates = 0;

    for (size_t i = 0; i < steps->pulled_count; i++)
        ids[i] = steps->pulled[i].id;
    qsort(ids, steps->pulled_count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < steps->pulled_count; i++)
        duplicates += ids[i] == ids[i - 1];
    free(ids);
    return duplicates;
}

static enum http_load_go next(struct http_load_client *client,
                              struct buffer *request, void *context)
{
    struct steps *steps = context;

    switch (step_of(steps, client)) {
    case STEP_SUBMIT:
        write_submission(steps, request);
        break;
    case STEP_RESULT:
        if (!write_result(steps, request))
            return HTTP_LOAD_END;
        break;
    case STEP_PULL:
    case STEP_LENGTH:
    case STEP_PAIR:
        write_get(request, steps->path, steps->cookie);
        break;
    }
    return HTTP_LOAD_GO;
}

static enum step step_of(const struct steps *steps,
                         const struct http_load_client *client)
{
    if (steps->step != STEP_PAIR)
        return steps->step;
    return client->step == 0 ? STEP_SUBMIT : STEP_PULL;
}

/* Each below 2^24 once, in no order: an odd factor gives every one. */
static int64_t next_number(struct steps *steps)
{
    int64_t number = steps->number++;

    if (!steps->settings.is_scattered)
        return number;
    return number * INT64_C(0x9E3779B1) & 0xffffff;
}

static void write_submission(struct steps *steps, struct buffer *request)
{
    write_submit(request, steps->cookie,
                 &(struct submission){
                     .queue = steps->queue,
                     .origin = steps->origin,
                     .number = next_number(steps),
                     .body = {steps->body, steps->settings.body_bytes},
                 });
}

static bool write_result(struct steps *steps, struct buffer *request)
{
    static const char result[] =
        "{\"correct\": true, \"score\": 1, \"msg\": \"<p>Well done.</p>\"}";
    const struct pulled *pulled = &steps->pulled[steps->answered_count];
    char header[128];

    if (steps->answered_count == steps->pulled_count)
        return false;
    steps->answered_count++;
    snprintf(header, sizeof header,
             "{\"submission_id\": %lld, \"submission_key\": \"%s\"}",
             (long long)pulled->id, pulled->key);
    write_put_result(request, steps->cookie, text_of(header), text_of(result));
    return true;
}

static bool answered(struct http_load_client *client,
                     const struct http_load_reply *reply, void *context)
{
    struct steps *steps = context;
    enum step step = step_of(steps, client);

    if (reply->status != 200)
        return false;
    if (step == STEP_PULL) {
        mean_add(&steps->pulls, reply->latency_us);
        client->step = 0;
        return take_pulled(steps, reply->body);
    }
    if (step == STEP_SUBMIT) {
        mean_add(&steps->submits, reply->latency_us);
        client->step = 1;
    }
    return text_starts_with(reply->body, "{\"return_code\": 0,");
}

static bool take_pulled(struct steps *steps, struct text body)
{
    /* Doubles at every power of two. */
    size_t count = steps->pulled_count;

    if (strstr(body.data, "is empty") != NULL) {
        steps->empty++;
        return true;
    }
    if ((count & (count - 1)) == 0)
        steps->pulled = xrealloc(steps->pulled, (count == 0 ? 1 : 2 * count) *
                                                    sizeof *steps->pulled);
    if (!read_pulled(body.data, &steps->pulled[count]))
        return false;
    steps->pulled_count++;
    return true;
}

/* The header is JSON within JSON within JSON: backslashes come and go. */
static bool read_pulled(const char *body, struct pulled *ret_pulled)
{
    const char *id = strstr(body, "submission_id");
    const char *key = strstr(body, "submission_key");

    if (id == NULL || key == NULL)
        return false;
    id += strcspn(id, "0123456789");
    ret_pulled->id = strtoll(id, NULL, 10);
    key += strlen("submission_key");
    key += strcspn(key, "0123456789abcdef");
    snprintf(ret_pulled->key, sizeof ret_pulled->key, "%s", key);
    return strspn(key, "0123456789abcdef") == KEY_SIZE;
}

static void mean_add(struct mean *mean, int64_t latency_us)
{
    mean->sum_us += latency_us;
    mean->count++;
}

static double mean_ms(const struct mean *mean)
{
    return mean->count == 0 ? 0
                            : (double)mean->sum_us / 1e3 / (double)mean->count;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

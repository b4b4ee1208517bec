/*
 * A passive grader: grades what is pushed to it and counts.
 *
 *     grader ADDRESS PORT [KEEP [PORTS]]
 *
 * Serves on PORTS (1) ports, the first of them PORT, or with port 0 free ones;
 * its first line is "listening port=N,N,...".
 *
 *     POST /anything    a grade, unless the path asks for something else: see
 *                       tests/tools/common/manner.h. A body that is no
 *                       submission gets a 400.
 *     GET /received     the last KEEP (100) pushes, as JSON lines:
 *                       tests/tools/common/records.h
 *     GET /paths        for each path how many came, are in hand, and were in
 *                       hand at most, as JSON lines
 *
 * A submission whose xqueue_body begins with a number and a blank is known by
 * that number. Its grade is {"correct": true, "score": 1, "msg":
 * "<p>submission N, time K</p>"} where it came for the K-th time; N is -1 when
 * it has no number.
 *
 * One thread, one loop.
 */
#include "server/base/arena.h"
#include "server/base/json.h"
#include "tests/tools/common/host.h"
#include "tests/tools/common/manner.h"
#include "tests/tools/common/records.h"
#include "tests/tools/grader/counts.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_DEFAULT = 100, MOST_NUMBER = 1000000, BAD_REQUEST = 400 };

struct grader {
    struct host *host;
    struct records *records;
    struct manners *manners;
    struct counts *counts;
};

/* A push in hand. */
struct push {
    struct later later; /* of a slow one */
    struct grader *grader;
    struct manner manner;
    int64_t number;
    int64_t time; /* this one is */
};

static int serve(struct grader *grader, const char *address, uint16_t port,
                 unsigned long ports);
static void on_request(struct evhttp_request *request, void *context);
static bool read_submission(struct arena *arena, struct evhttp_request *request,
                            int64_t *ret_number);
static void take(struct push *push, struct evhttp_request *request);
static void record(struct push *push, struct evhttp_request *request,
                   int64_t in_hand, int64_t twins);
static void finish(struct later *later);
static void answer(const struct push *push, struct evhttp_request *request);
static void tell(struct grader *grader, struct evhttp_request *request);

int main(int count, char **words)
{
    struct grader grader = {0};
    unsigned long keep = count > 3 ? strtoul(words[3], NULL, 10) : KEEP_DEFAULT;
    unsigned long ports = count > 4 ? strtoul(words[4], NULL, 10) : 1;
    int status;

    if (count < 3 || count > 5 || keep == 0 || ports == 0) {
        fprintf(stderr, "usage: grader ADDRESS PORT [KEEP [PORTS]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    grader.host = host_new(on_request, &grader);
    grader.records = records_new(grader.host, keep);
    grader.manners = manners_new();
    grader.counts = counts_new();
    status =
        serve(&grader, words[1], (uint16_t)strtoul(words[2], NULL, 10), ports);
    host_free(grader.host);
    counts_free(grader.counts);
    manners_free(grader.manners);
    records_free(grader.records);
    return status;
}

static int serve(struct grader *grader, const char *address, uint16_t port,
                 unsigned long ports)
{
    uint16_t bound = 0;

    for (unsigned long i = 0; i < ports; i++) {
        uint16_t wanted = (uint16_t)(port == 0 ? 0 : port + i);

        if (!host_listen(grader->host, address, wanted, &bound)) {
            fprintf(stderr, "grader: cannot listen on %s port %u\n", address,
                    (unsigned)wanted);
            return 1;
        }
        printf("%s%u", i == 0 ? "listening port=" : ",", (unsigned)bound);
    }
    printf("\n");
    host_run(grader->host);
    return 0;
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct grader *grader = context;
    struct push push = {.grader = grader, .number = -1};
    struct arena *arena;

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
        tell(grader, request);
        return;
    }
    push.manner =
        manners_read(grader->manners, evhttp_request_get_uri(request));
    arena = arena_new();
    if (!read_submission(arena, request, &push.number))
        push.manner = (struct manner){.status = BAD_REQUEST};
    arena_free(arena);
    take(&push, request);
    if (push.manner.slow_ms == 0) {
        push.later.request = request;
        finish(&push.later);
    } else {
        struct push *later = later_new(
            grader->host, request, push.manner.slow_ms, sizeof push, finish);

        push.later = later->later;
        *later = push;
    }
    records_wake(grader->records);
}

/* False when the body is not what a push must be. */
static bool read_submission(struct arena *arena, struct evhttp_request *request,
                            int64_t *ret_number)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    struct text source = {.size = evbuffer_get_length(input)};
    const struct json_value *object;
    const struct json_value *body;
    const char *blank;
    int64_t number;

    source.data = (const char *)evbuffer_pullup(input, -1);
    if (source.data == NULL || !json_parse_object(arena, source, &object) ||
        (body = json_get(object, "xqueue_body")) == NULL ||
        json_kind(body) != JSON_STRING ||
        json_get(object, "xqueue_files") == NULL)
        return false;
    source = json_text(body);
    blank = memchr(source.data, ' ', source.size);
    if (blank != NULL) {
        source.size = (size_t)(blank - source.data);
        if (text_to_integer(source, &number) && number >= 0 &&
            number <= MOST_NUMBER)
            *ret_number = number;
    }
    return true;
}

static void take(struct push *push, struct evhttp_request *request)
{
    struct counts *counts = push->grader->counts;
    struct count *path =
        counts_of_path(counts, evhttp_request_get_uri(request));
    int64_t twins = 1;

    count_begin(path);
    push->time = 1;
    if (push->number >= 0) {
        struct count *submission = counts_of_submission(counts, push->number);

        count_begin(submission);
        push->time = submission->came;
        twins = submission->in_hand;
    }
    record(push, request, path->in_hand, twins);
}

static void record(struct push *push, struct evhttp_request *request,
                   int64_t in_hand, int64_t twins)
{
    struct evkeyvalq *fields = evhttp_request_get_input_headers(request);
    struct buffer *line = records_begin(push->grader->records);

    buffer_printf(line,
                  ", \"status\": %d, \"submission\": %lld, \"time\": %lld,"
                  " \"in_hand\": %lld, \"twins\": %lld",
                  push->manner.status, (long long)push->number,
                  (long long)push->time, (long long)in_hand, (long long)twins);
    records_add_text(line, "path", text_of(evhttp_request_get_uri(request)));
    records_add_text(line, "authorization",
                     text_of(evhttp_find_header(fields, "Authorization")));
    records_end(line);
}

static void finish(struct later *later)
{
    struct push *push = (struct push *)later;
    struct counts *counts = push->grader->counts;

    count_end(counts_of_path(counts, evhttp_request_get_uri(later->request)));
    if (push->number >= 0)
        count_end(counts_of_submission(counts, push->number));
    answer(push, later->request);
}

static void answer(const struct push *push, struct evhttp_request *request)
{
    struct buffer grade = {NULL, 0, 0};

    buffer_printf(&grade,
                  "{\"correct\": true, \"score\": 1, \"msg\":"
                  " \"<p>submission %lld, time %lld</p>\"}",
                  (long long)push->number, (long long)push->time);
    manner_answer(&push->manner, request, "application/json",
                  buffer_text(&grade));
    buffer_free(&grade);
}

/* Anything but a POST. */
static void tell(struct grader *grader, struct evhttp_request *request)
{
    struct buffer lines = {NULL, 0, 0};

    if (strcmp(evhttp_request_get_uri(request), "/paths") != 0) {
        records_tell(grader->records, request);
        return;
    }
    counts_write_paths(grader->counts, &lines);
    evbuffer_add(evhttp_request_get_output_buffer(request), lines.data,
                 lines.size);
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
    buffer_free(&lines);
}

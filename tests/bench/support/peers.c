/*
 * The peers of a server under load: each child is one event loop with one
 * evhttp, and writes what it counts into memory that it shares.
 */
#include "tests/bench/support/peers.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/bench/support/listening.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST_BODY = 64 * 1024 * 1024, MOST_IN_HAND = 4096 };

/* Shared; all 0 at first. */
struct seen {
    _Atomic int64_t requests;
    _Atomic int64_t distinct;
    _Atomic int64_t strange;
    _Atomic int64_t at_once;
    uint8_t has_come[LMS_NUMBERS];
};

struct peer {
    pid_t pid;
    uint16_t port;
    struct seen *seen;
};

struct fast_lms {
    struct peer peer;
};

struct fast_grader {
    struct peer peer;
};

struct push {
    struct evhttp_request *request;
    int64_t due_us; /* monotonic */
};

/* Inside the process. */
struct serving {
    struct seen *seen;
    const char *grade;                 /* NULL: an LMS */
    int64_t takes_us;                  /* to grade */
    struct event *answering;           /* when the first in hand is due */
    struct push in_hand[MOST_IN_HAND]; /* as they came */
    size_t count;
};

static void start(struct peer *peer, const char *grade, int64_t takes_us);
NORETURN static void serve(int listener, struct serving *serving, pid_t parent);
static void take_callback(struct evhttp_request *request, void *context);
static void count_number(struct seen *seen, const char *path);
static void take_push(struct evhttp_request *request, void *context);
static void wait_for_first(struct serving *serving);
static void answer_due(evutil_socket_t none, short what, void *context);
static void answer(struct evhttp_request *request, const char *text);
static void stop(struct peer *peer);

struct fast_lms *fast_lms_start(void)
{
    struct fast_lms *lms = xcalloc(1, sizeof *lms);

    start(&lms->peer, NULL, 0);
    return lms;
}

uint16_t fast_lms_port(const struct fast_lms *lms)
{
    return lms->peer.port;
}

pid_t fast_lms_pid(const struct fast_lms *lms)
{
    return lms->peer.pid;
}

int64_t fast_lms_callbacks(const struct fast_lms *lms)
{
    return atomic_load(&lms->peer.seen->requests);
}

int64_t fast_lms_distinct(const struct fast_lms *lms)
{
    return atomic_load(&lms->peer.seen->distinct);
}

int64_t fast_lms_strange(const struct fast_lms *lms)
{
    return atomic_load(&lms->peer.seen->strange);
}

void fast_lms_stop(struct fast_lms *lms)
{
    stop(&lms->peer);
    free(lms);
}

struct fast_grader *fast_grader_start(const char *grade, int64_t takes_us)
{
    struct fast_grader *grader = xcalloc(1, sizeof *grader);

    start(&grader->peer, grade, takes_us);
    return grader;
}

uint16_t fast_grader_port(const struct fast_grader *grader)
{
    return grader->peer.port;
}

pid_t fast_grader_pid(const struct fast_grader *grader)
{
    return grader->peer.pid;
}

int64_t fast_grader_pushes(const struct fast_grader *grader)
{
    return atomic_load(&grader->peer.seen->requests);
}

int64_t fast_grader_at_once(const struct fast_grader *grader)
{
    return atomic_load(&grader->peer.seen->at_once);
}

void fast_grader_reset(struct fast_grader *grader)
{
    atomic_store(&grader->peer.seen->requests, 0);
    atomic_store(&grader->peer.seen->at_once, 0);
}

void fast_grader_stop(struct fast_grader *grader)
{
    stop(&grader->peer);
    free(grader);
}

static void start(struct peer *peer, const char *grade, int64_t takes_us)
{
    pid_t parent = getpid();
    int listener = bench_listen(&peer->port);

    peer->seen = mmap(NULL, sizeof *peer->seen, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (peer->seen == MAP_FAILED)
        fatal("mmap: %s", strerror(errno));
    peer->pid = fork();
    if (peer->pid < 0)
        fatal("fork: %s", strerror(errno));
    if (peer->pid == 0) {
        struct serving *serving = xcalloc(1, sizeof *serving);

        serving->seen = peer->seen;
        serving->grade = grade;
        serving->takes_us = takes_us;
        serve(listener, serving, parent);
    }
    close(listener);
}

static void serve(int listener, struct serving *serving, pid_t parent)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    if (http == NULL || evhttp_accept_socket(http, listener) != 0)
        fatal("a peer cannot listen");
    serving->answering = event_new(base, -1, 0, answer_due, serving);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_POST);
    evhttp_set_max_body_size(http, LARGEST_BODY);
    evhttp_set_gencb(http, serving->grade == NULL ? take_callback : take_push,
                     serving);
    event_base_dispatch(base);
    _exit(0);
}

static void take_callback(struct evhttp_request *request, void *context)
{
    struct serving *serving = context;

    count_number(serving->seen, evhttp_request_get_uri(request));
    answer(request, "");
    atomic_fetch_add(&serving->seen->requests, 1);
}

static void count_number(struct seen *seen, const char *path)
{
    int64_t number;

    if (!text_to_integer(text_of(path + 1), &number) || number < 0 ||
        number >= LMS_NUMBERS) {
        atomic_fetch_add(&seen->strange, 1);
        return;
    }
    if (seen->has_come[number] == 0)
        atomic_fetch_add(&seen->distinct, 1);
    seen->has_come[number] = 1;
}

static void take_push(struct evhttp_request *request, void *context)
{
    struct serving *serving = context;
    struct seen *seen = serving->seen;

    if (serving->count == MOST_IN_HAND)
        fatal("too many pushes at once");
    serving->in_hand[serving->count++] = (struct push){
        .request = request,
        .due_us = clock_monotonic_us() + serving->takes_us,
    };
    if ((int64_t)serving->count > atomic_load(&seen->at_once))
        atomic_store(&seen->at_once, (int64_t)serving->count);
    if (serving->count == 1)
        wait_for_first(serving);
}

/* With nothing to wait for: after what else there is in this turn. */
static void wait_for_first(struct serving *serving)
{
    int64_t wait_us = serving->in_hand[0].due_us - clock_monotonic_us();
    struct timeval wait = {.tv_usec = wait_us > 0 ? wait_us : 0};

    if (wait_us > 0)
        event_add(serving->answering, &wait);
    else
        event_active(serving->answering, EV_TIMEOUT, 0);
}

/* Who closes its connection meanwhile frees the request, and none does. */
static void answer_due(evutil_socket_t none, short what, void *context)
{
    struct serving *serving = context;
    int64_t now_us = clock_monotonic_us();
    size_t count = 0;

    (void)none;
    (void)what;
    while (count < serving->count && serving->in_hand[count].due_us <= now_us)
        answer(serving->in_hand[count++].request, serving->grade);
    atomic_fetch_add(&serving->seen->requests, (int64_t)count);
    serving->count -= count;
    memmove(serving->in_hand, serving->in_hand + count,
            serving->count * sizeof serving->in_hand[0]);
    if (serving->count > 0)
        wait_for_first(serving);
}

static void answer(struct evhttp_request *request, const char *text)
{
    struct evbuffer *body = evhttp_request_get_output_buffer(request);

    evbuffer_add_reference(body, text, strlen(text), NULL, NULL);
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static void stop(struct peer *peer)
{
    kill(peer->pid, SIGKILL);
    (void)waitpid(peer->pid, NULL, 0);
    munmap(peer->seen, sizeof *peer->seen);
}

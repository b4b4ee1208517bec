/*
 * R5: the child is curl's socket interface on a bare epoll. Its handles are
 * made once and added again and again, which is the least that curl can do.
 */
#include "tests/bench/support/raw_post.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, SILENCE_MS = 30000, HTTP_GOOD = 200 };

struct poster {
    const struct raw_post_settings *settings;
    CURLM *multi;
    struct curl_slist *headers;
    int epoll;
    int64_t timer_ms; /* when curl wants to be called; -1: never */
    int64_t started;
    int64_t answered;
};

NORETURN static void post_all(const struct raw_post_settings *settings,
                              int answer, pid_t parent);
static void begin(struct poster *poster);
static void add_handle(struct poster *poster);
static int on_socket_wanted(CURL *easy, curl_socket_t socket, int what,
                            void *context, void *known);
static int on_timer_wanted(CURLM *multi, long wait_ms, void *context);
static size_t on_body(char *data, size_t one, size_t size, void *context);
static void turn(struct poster *poster);
static int wait_of(const struct poster *poster);
static void act(struct poster *poster, curl_socket_t socket, int what);
static void collect(struct poster *poster);
static void expect_good(const CURLMsg *message);
static double own_cpu_seconds(void);
static void must(bool holds);

struct raw_post_result raw_post_run(const struct raw_post_settings *settings)
{
    struct raw_post_result result;
    pid_t parent = getpid();
    int ends[2];
    int status;
    pid_t pid;

    if (pipe(ends) != 0)
        fatal("pipe: %s", strerror(errno));
    pid = fork();
    if (pid < 0)
        fatal("fork: %s", strerror(errno));
    if (pid == 0)
        post_all(settings, ends[1], parent);
    close(ends[1]);
    if (read(ends[0], &result, sizeof result) != (ssize_t)sizeof result ||
        waitpid(pid, &status, 0) != pid || status != 0)
        fatal("the bare poster failed");
    close(ends[0]);
    return result;
}

static void post_all(const struct raw_post_settings *settings, int answer,
                     pid_t parent)
{
    struct poster poster = {.settings = settings, .timer_ms = -1};
    struct raw_post_result result;
    int64_t began_us;
    double cpu;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGPIPE, SIG_IGN);
    begin(&poster);
    cpu = own_cpu_seconds();
    began_us = clock_monotonic_us();
    for (size_t i = 0; i < settings->concurrency; i++)
        add_handle(&poster);
    while (poster.answered < settings->count)
        turn(&poster);
    result.per_second = (double)settings->count /
                        ((double)(clock_monotonic_us() - began_us) / 1e6);
    result.cpu_seconds = own_cpu_seconds() - cpu;
    must(write(answer, &result, sizeof result) == (ssize_t)sizeof result);
    _exit(0);
}

static void begin(struct poster *poster)
{
    const char *type = poster->settings->content_type;
    char *line = xasprintf("Content-Type:%s%s", type == NULL ? "" : " ",
                           type == NULL ? "" : type);

    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    poster->epoll = epoll_create1(EPOLL_CLOEXEC);
    poster->multi = curl_multi_init();
    poster->headers = curl_slist_append(NULL, "Expect:");
    poster->headers = curl_slist_append(poster->headers, line);
    must(poster->epoll >= 0 && poster->multi != NULL);
    curl_multi_setopt(poster->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(poster->multi, CURLMOPT_SOCKETDATA, poster);
    curl_multi_setopt(poster->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(poster->multi, CURLMOPT_TIMERDATA, poster);
    curl_multi_setopt(poster->multi, CURLMOPT_MAXCONNECTS,
                      (long)poster->settings->concurrency);
}

static void add_handle(struct poster *poster)
{
    const struct raw_post_settings *settings = poster->settings;
    long fresh = settings->fresh ? 1 : 0;
    CURL *easy = curl_easy_init();

    must(easy != NULL);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "XQueue/1.0");
    curl_easy_setopt(easy, CURLOPT_URL, settings->url);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)settings->body.size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, settings->body.data);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, poster->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, fresh);
    poster->started++;
    must(curl_multi_add_handle(poster->multi, easy) == CURLM_OK);
}

static int on_socket_wanted(CURL *easy, curl_socket_t socket, int what,
                            void *context, void *known)
{
    struct poster *poster = context;
    struct epoll_event event = {.data.fd = socket};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        /* It may be closed already, and has left by that. */
        (void)epoll_ctl(poster->epoll, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    if ((what & CURL_POLL_IN) != 0)
        event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0)
        event.events |= EPOLLOUT;
    must(epoll_ctl(poster->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
                   socket, &event) == 0);
    curl_multi_assign(poster->multi, socket, poster);
    return 0;
}

static int on_timer_wanted(CURLM *multi, long wait_ms, void *context)
{
    struct poster *poster = context;

    (void)multi;
    poster->timer_ms = wait_ms < 0 ? -1 : clock_monotonic_ms() + wait_ms;
    return 0;
}

/* Nobody reads it. */
static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    (void)data;
    (void)context;
    return size * one;
}

static void turn(struct poster *poster)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int wait_ms = wait_of(poster);
    int count = epoll_wait(poster->epoll, events, EVENTS_AT_ONCE, wait_ms);

    must(count > 0 || wait_ms < SILENCE_MS);
    for (int i = 0; i < count; i++) {
        int what = 0;

        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            what |= CURL_CSELECT_IN;
        if ((events[i].events & EPOLLOUT) != 0)
            what |= CURL_CSELECT_OUT;
        act(poster, events[i].data.fd, what);
    }
    if (poster->timer_ms >= 0 && poster->timer_ms <= clock_monotonic_ms()) {
        poster->timer_ms = -1;
        act(poster, CURL_SOCKET_TIMEOUT, 0);
    }
    collect(poster);
}

static int wait_of(const struct poster *poster)
{
    int64_t wait_ms = poster->timer_ms - clock_monotonic_ms();

    if (poster->timer_ms < 0 || wait_ms > SILENCE_MS)
        return SILENCE_MS;
    return wait_ms > 0 ? (int)wait_ms : 0;
}

static void act(struct poster *poster, curl_socket_t socket, int what)
{
    int running;

    must(curl_multi_socket_action(poster->multi, socket, what, &running) ==
         CURLM_OK);
}

static void collect(struct poster *poster)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(poster->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;

        expect_good(message);
        poster->answered++;
        curl_multi_remove_handle(poster->multi, easy);
        if (poster->started < poster->settings->count) {
            poster->started++;
            must(curl_multi_add_handle(poster->multi, easy) == CURLM_OK);
        }
    }
}

static void expect_good(const CURLMsg *message)
{
    long code = 0;

    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &code);
    if (message->data.result != CURLE_OK || code != HTTP_GOOD)
        fatal("a bare post: %s, status %ld",
              curl_easy_strerror(message->data.result), code);
}

static double own_cpu_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void must(bool holds)
{
    if (!holds)
        fatal("the bare poster: %s", strerror(errno));
}

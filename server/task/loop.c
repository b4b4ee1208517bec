/*
 * The event loop. Other threads wake it through an eventfd, so libevent
 * itself stays on one thread.
 */
#include "server/task/loop.h"

#include "server/base/log_output.h"
#include "server/base/memory.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop {
    struct event_base *base;
};

struct loop_timer {
    struct event *event;
    void (*fire)(void *context);
    void *context;
};

struct loop_wake {
    struct event *event;
    int descriptor;
    void (*fire)(void *context);
    void *context;
};

struct loop_signal {
    struct event *event;
    void (*fire)(void *context);
    void *context;
};

static struct event_base *new_base(void);
static struct event *make_event(struct loop *loop, int descriptor, short what,
                                event_callback_fn callback, void *context);
static void on_timer(evutil_socket_t descriptor, short what, void *context);
static void on_wake(evutil_socket_t descriptor, short what, void *context);
static void on_signal(evutil_socket_t number, short what, void *context);

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(1, sizeof *loop);

    loop->base = new_base();
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

void loop_run(struct loop *loop)
{
    log_output_hold();
    do {
        log_output_flush();
        if (event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) <
            0)
            fatal("the event loop failed");
    } while (!event_base_got_break(loop->base));
    log_output_release();
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}

struct loop_timer *loop_timer_new(struct loop *loop,
                                  void (*fire)(void *context), void *context)
{
    struct loop_timer *timer = xcalloc(1, sizeof *timer);

    timer->fire = fire;
    timer->context = context;
    timer->event = make_event(loop, -1, 0, on_timer, timer);
    return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
    struct timeval delay = {
        .tv_sec = (time_t)(delay_ms / 1000),
        .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000),
    };

    event_add(timer->event, &delay);
}

void loop_timer_set_soon(struct loop_timer *timer)
{
    event_active(timer->event, EV_TIMEOUT, 0);
}

void loop_timer_cancel(struct loop_timer *timer)
{
    event_del(timer->event);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
    return event_pending(timer->event, EV_TIMEOUT, NULL) != 0;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

struct loop_wake *loop_wake_new(struct loop *loop, void (*fire)(void *context),
                                void *context)
{
    struct loop_wake *wake = xcalloc(1, sizeof *wake);

    wake->fire = fire;
    wake->context = context;
    wake->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake->descriptor < 0)
        fatal("cannot make an eventfd");
    wake->event =
        make_event(loop, wake->descriptor, EV_READ | EV_PERSIST, on_wake, wake);
    event_add(wake->event, NULL);
    return wake;
}

void loop_wake(void *wake)
{
    const struct loop_wake *self = wake;
    uint64_t one = 1;
    /* Fails only when billions of wake-ups are unread, which is as good. */
    ssize_t written = write(self->descriptor, &one, sizeof one);

    (void)written;
}

void loop_wake_free(struct loop_wake *wake)
{
    if (wake == NULL)
        return;
    event_free(wake->event);
    close(wake->descriptor);
    free(wake);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number,
                                    void (*fire)(void *context), void *context)
{
    struct loop_signal *signal = xcalloc(1, sizeof *signal);

    signal->fire = fire;
    signal->context = context;
    signal->event =
        make_event(loop, number, EV_SIGNAL | EV_PERSIST, on_signal, signal);
    event_add(signal->event, NULL);
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (signal == NULL)
        return;
    event_free(signal->event);
    free(signal);
}

/*
 * evhttp stops and starts reading and writing several times for each request.
 * With a list of changes epoll hears of what is left of that when the loop is
 * about to sleep, and not of each step. That is only right while no descriptor
 * in the set has a second one for the same file: to close the one would leave
 * the other one's events in the set.
 */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config != NULL &&
        event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) ==
            0)
        base = event_base_new_with_config(config);
    if (base == NULL)
        fatal("cannot make an event loop");
    event_config_free(config);
    return base;
}

static struct event *make_event(struct loop *loop, int descriptor, short what,
                                event_callback_fn callback, void *context)
{
    struct event *event =
        event_new(loop->base, descriptor, what, callback, context);

    if (event == NULL)
        fatal("cannot make an event");
    return event;
}

static void on_timer(evutil_socket_t descriptor, short what, void *context)
{
    struct loop_timer *timer = context;

    (void)descriptor;
    (void)what;
    timer->fire(timer->context);
}

static void on_wake(evutil_socket_t descriptor, short what, void *context)
{
    struct loop_wake *wake = context;
    uint64_t count;

    (void)what;
    if (read(descriptor, &count, sizeof count) == (ssize_t)sizeof count)
        wake->fire(wake->context);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct loop_signal *signal = context;

    (void)number;
    (void)what;
    signal->fire(signal->context);
}

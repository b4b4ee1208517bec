/*
 * The event loop: timers, signals, and the wake-up from other threads.
 * Loop thread, except loop_wake().
 */
#ifndef XQUEUE_TASK_LOOP_H
#define XQUEUE_TASK_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct loop_signal;
struct loop_timer;
struct loop_wake;

struct loop *loop_new(void);

/* All timers, wakes and signals must have been freed. NULL is legal. */
void loop_free(struct loop *loop);

/* For evhttp and curl, which know libevent themselves. */
struct event_base *loop_base(struct loop *loop);

/* Run until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Call `fire` at most once after each loop_timer_set(). */
struct loop_timer *loop_timer_new(struct loop *loop,
                                  void (*fire)(void *context), void *context);
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms);
/* It fires after what is ready now. */
void loop_timer_set_soon(struct loop_timer *timer);
void loop_timer_cancel(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is legal */

/*
 * loop_wake() from any thread makes `fire` run on the loop thread soon; many
 * calls may become one.
 */
struct loop_wake *loop_wake_new(struct loop *loop, void (*fire)(void *context),
                                void *context);
void loop_wake(void *wake);
void loop_wake_free(struct loop_wake *wake); /* NULL is legal */

/* Call `fire` on the loop thread at each such signal. */
struct loop_signal *loop_signal_new(struct loop *loop, int number,
                                    void (*fire)(void *context), void *context);
void loop_signal_free(struct loop_signal *signal); /* NULL is legal */

#endif

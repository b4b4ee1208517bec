/*
 * The hosts that callbacks go to: a list, for there are few.
 */
#include "server/deliver/destinations.h"

#include "server/base/memory.h"
#include "server/config/config.h"
#include "server/task/loop.h"

#include <stdlib.h>

struct destination *destination_find(struct callbacks *callbacks,
                                     int64_t number)
{
    struct destination *destination;

    TAILQ_FOREACH(destination, &callbacks->destinations, entry)
    {
        if (destination->number == number)
            break;
    }
    return destination;
}

struct destination *destination_add(struct callbacks *callbacks, int64_t number,
                                    void (*drain)(void *destination))
{
    struct destination *destination = xcalloc(1, sizeof *destination);

    destination->callbacks = callbacks;
    destination->number = number;
    destination->silent = true;
    destination->timer =
        loop_timer_new(callbacks->env->loop, drain, destination);
    TAILQ_INSERT_TAIL(&callbacks->destinations, destination, entry);
    return destination;
}

void destination_forget(struct destination *destination)
{
    TAILQ_REMOVE(&destination->callbacks->destinations, destination, entry);
    loop_timer_free(destination->timer);
    free(destination);
}

/* One that still has something keeps what we know of it. */
void destinations_forget_idle(struct callbacks *callbacks)
{
    struct destination *next;

    for (struct destination *d = TAILQ_FIRST(&callbacks->destinations);
         d != NULL; d = next) {
        next = TAILQ_NEXT(d, entry);
        if (d->in_flight == 0 && d->claiming == 0 && !d->more && !d->listed &&
            !loop_timer_is_set(d->timer))
            destination_forget(d);
    }
}

size_t destination_room(const struct destination *destination)
{
    const struct callbacks *callbacks = destination->callbacks;
    size_t most = (size_t)callbacks->env->config->callback_concurrency;
    size_t room;

    if (destinations_are_full(callbacks))
        return 0;
    if (most > CALLBACKS_AT_ONCE / 2)
        most = CALLBACKS_AT_ONCE / 2;
    if (destination->silent)
        most = 1;
    if (destination->in_flight >= most)
        return 0;
    room = CALLBACKS_AT_ONCE - callbacks->in_flight - callbacks->claiming;
    return most - destination->in_flight < room ? most - destination->in_flight
                                                : room;
}

bool destinations_are_full(const struct callbacks *callbacks)
{
    return callbacks->in_flight + callbacks->claiming >= CALLBACKS_AT_ONCE;
}

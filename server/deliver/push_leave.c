/*
 * Leaving places at a grader, again and again until the database takes it, or
 * their leases are over.
 */
#include "server/deliver/push_leave.h"

#include "db/push.h"
#include "server/base/clock.h"
#include "server/deliver/push_lanes.h"
#include "server/task/task.h"

#include <string.h>

enum { PAUSE_MS = 1000 };

struct leaving {
    struct push_leave op;
    int64_t deadline_ms;
};

static enum step leave(struct task *task);
static enum step left(struct task *task);

void push_leave(struct places *places, const struct push_place *list,
                size_t count, int64_t end_ms)
{
    struct push_lane *lane = CONTAINER_OF(places, struct push_lane, places);
    struct task *task = task_new(lane->pushes->env, sizeof(struct leaving));
    struct leaving *self = task->self;
    struct push_place *copy = arena_alloc(task->arena, count * sizeof *copy);

    memcpy(copy, list, count * sizeof *copy);
    self->op.queue_id = lane->queue_id;
    self->op.places = copy;
    self->op.count = count;
    self->deadline_ms = end_ms;
    task_run(task, leave);
}

static enum step leave(struct task *task)
{
    struct leaving *self = task->self;

    return task_await_database(task, &self->op.job, &push_leave_op, left);
}

static enum step left(struct task *task)
{
    struct leaving *self = task->self;
    enum db_status status = self->op.job.status;

    if (status != DB_OK && status != DB_CANCELED &&
        clock_monotonic_ms() < self->deadline_ms)
        return task_await_time(task, PAUSE_MS, leave);
    return task_end(task);
}

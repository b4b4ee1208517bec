/*
 * The callbacks to one LMS that wait for their turn.
 */
#include "server/deliver/callback_line.h"

#include "server/base/clock.h"
#include "server/deliver/lanes.h"

static void call(struct callback_turn *turn, enum callback_turn_state state);
static bool is_late(const struct callback_turn *turn);

void callback_line_init(struct callback_line *line, struct lane *lane)
{
    *line = (struct callback_line){.lane = lane};
    TAILQ_INIT(&line->waiting);
}

void callback_line_recall(struct callback_line *line)
{
    struct callback_turn *turn;

    while ((turn = TAILQ_FIRST(&line->waiting)) != NULL)
        call(turn, CALLBACK_TURN_GOES_BACK);
}

void callback_line_drain(struct callback_line *line)
{
    struct callback_turn *turn;
    size_t most = lane_width(line->lane);

    while ((turn = TAILQ_FIRST(&line->waiting)) != NULL) {
        if (most == 0 || is_late(turn))
            call(turn, CALLBACK_TURN_GOES_BACK);
        else if (line->posting < most)
            call(turn, CALLBACK_TURN_HAS_COME);
        else
            return;
    }
}

enum step callback_turn_await(struct callback_turn *turn, struct task *task,
                              task_step *next)
{
    struct callback_line *line = turn->line;
    enum step step = task_wait(task, next);

    turn->task = task;
    turn->began_ms = clock_monotonic_ms();
    turn->state = CALLBACK_TURN_WAITS;
    line->bytes += turn->bytes;
    TAILQ_INSERT_TAIL(&line->waiting, turn, entry);
    callback_line_drain(line);
    return step;
}

void callback_turn_end(struct callback_turn *turn)
{
    turn->line->posting--;
    callback_line_drain(turn->line);
}

/* The task goes on, and may be over afterwards. */
static void call(struct callback_turn *turn, enum callback_turn_state state)
{
    struct callback_line *line = turn->line;

    TAILQ_REMOVE(&line->waiting, turn, entry);
    line->bytes -= turn->bytes;
    turn->state = state;
    if (state == CALLBACK_TURN_HAS_COME)
        line->posting++;
    task_resume(turn->task);
}

static bool is_late(const struct callback_turn *turn)
{
    return clock_monotonic_ms() - turn->began_ms > CALLBACK_LINE_MS;
}

/*
 * The promises, one function each. For every number that was sent:
 *
 *   check_submission  acknowledged: pulled or pushed, answered and delivered
 *   check_pulls       no two leases at once; none after the result
 *   check_pushes      pushed again only after a kill; never after the result
 *   check_received    the LMS got what was put, or the grade, and as it was
 *   check_again       a second delivery has a reason
 */
#include "tests/support/history_private.h"

#include "server/base/memory.h"

#include <stdlib.h>

enum {
    SHOWN = 30,         /* violations in words; the rest is counted */
    RECORD_US = 5000000 /* from a delivery to its record, at the worst */
};

static void collect(struct check *check);
static void collect_event(struct check *check, const struct event *event);
static void collect_received(struct check *check);
static void check_submission(struct check *check, int64_t number);
static bool was_handed_out(const struct fate *fate);
static void check_received(struct check *check, int64_t number);
static bool was_put(const struct check *check, const struct fate *fate,
                    int64_t number, struct text text);
static void check_again(struct check *check, int64_t number);
static void complain_again(struct check *check, int64_t number,
                           int64_t first_us, int64_t second_us);
static void free_fates(struct check *check);

char *history_check(struct history *history, const struct history_facts *facts,
                    struct history_counts *ret_counts)
{
    struct check check = {
        .history = history, .facts = facts, .counts = ret_counts};

    *ret_counts = (struct history_counts){0};
    collect(&check);
    for (int64_t number = 0; number < check.fate_count; number++) {
        check_submission(&check, number);
        if (history->is_pushed)
            check_pushes(&check, number);
        else
            check_pulls(&check, number);
        check_received(&check, number);
        check_again(&check, number);
    }
    if (history->is_pushed)
        check_all_pushes(&check);
    if (check.by_kill > history->kill_count * facts->deliveries_at_once)
        check_complain(&check, -1, "more came again than kills can explain");
    if (ret_counts->submitted == 0)
        check_complain(&check, -1,
                       "nothing was acknowledged: nothing is known");
    if (check.problem_count > 0)
        buffer_printf(&check.problems, "%zu violations", check.problem_count);
    free_fates(&check);
    return check.problems.data;
}

static void collect(struct check *check)
{
    const struct history *history = check->history;

    for (size_t i = 0; i < history->count; i++) {
        if (history->events[i].number >= check->fate_count)
            check->fate_count = history->events[i].number + 1;
    }
    check->fates = xcalloc((size_t)check->fate_count + 1, sizeof *check->fates);
    for (size_t i = 0; i < history->count; i++)
        collect_event(check, &history->events[i]);
    collect_received(check);
    check_collect_graded(check);
}

static void collect_event(struct check *check, const struct event *event)
{
    struct fate *fate = check_fate(check, event->number);

    if (event->outcome == OUTCOME_WRONG)
        check_complain(check, event->number,
                       "a client got an impossible reply");
    if (event->outcome != OUTCOME_OK && !check->facts->has_faults)
        check_complain(check, event->number, "a client was not served");
    if (fate == NULL)
        return;
    if (event->kind == EVENT_SUBMIT) {
        fate->submit = event;
    } else if (event->kind == EVENT_PULL) {
        check_append((const void ***)&fate->pulls, &fate->pull_count, event);
    } else if (event->outcome == OUTCOME_UNKNOWN) {
        fate->unknown_puts++;
    } else if (event->outcome == OUTCOME_OK) {
        if (fate->put != NULL)
            check_complain(check, event->number, "two results were accepted");
        fate->put = event;
    }
}

static void collect_received(struct check *check)
{
    const struct received_list *list = &check->facts->received;

    for (size_t i = 0; i < list->count; i++) {
        const struct received *received = &list->items[i];
        struct text path = received->path;
        struct fate *fate = NULL;
        int64_t number = -1;

        if (path.size > 1 &&
            text_to_integer((struct text){path.data + 1, path.size - 1},
                            &number))
            fate = check_fate(check, number);
        if (fate == NULL)
            check_complain(check, number, "the LMS got what nobody submitted");
        else
            check_append((const void ***)&fate->received, &fate->received_count,
                         received);
    }
}

struct fate *check_fate(struct check *check, int64_t number)
{
    if (number < 0 || number >= check->fate_count)
        return NULL;
    return &check->fates[number];
}

void check_append(const void ***list, size_t *count, const void *item)
{
    *list = xrealloc(*list, (*count + 1) * sizeof **list);
    (*list)[(*count)++] = item;
}

static void check_submission(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];

    if (fate->submit == NULL || fate->submit->outcome == OUTCOME_REFUSED) {
        if (was_handed_out(fate) || fate->received_count > 0)
            check_complain(check, number, "nobody submitted it, but it came");
        return;
    }
    if (fate->submit->outcome == OUTCOME_UNKNOWN) {
        check->counts->unknown++;
        check->counts->recovered += fate->received_count > 0;
        if (fate->put == NULL && fate->graded_count == 0)
            return;
    }
    check->counts->submitted += fate->submit->outcome == OUTCOME_OK;
    if (!was_handed_out(fate))
        check_complain(check, number, "an acknowledged submission is lost");
    else if (fate->put == NULL && fate->graded_count == 0)
        check_complain(check, number, "no result was ever accepted");
    else if (fate->received_count == 0)
        check_complain(check, number, "an acknowledged result is lost");
}

static bool was_handed_out(const struct fate *fate)
{
    return fate->pull_count > 0 || fate->graded_count > 0;
}

static void check_received(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];
    struct buffer header = {NULL, 0, 0};

    history_write_header(check->history, &header, check->facts->origin, number);
    for (size_t i = 0; i < fate->received_count; i++) {
        const struct received *received = fate->received[i];

        if (!text_equal(received->header, buffer_text(&header)))
            check_complain(check, number, "the LMS got another header");
        if (!was_put(check, fate, number, received->body))
            check_complain(check, number,
                           "the LMS got a result that nobody put");
        if (!text_equal(received->body, fate->received[0]->body))
            check_complain(check, number, "the LMS got two results");
        if (received->twins > 1)
            check_complain(check, number, "two deliveries at once");
    }
    buffer_free(&header);
}

/* Only one key can ever be accepted, so there is only one right text. */
static bool was_put(const struct check *check, const struct fate *fate,
                    int64_t number, struct text text)
{
    struct buffer result = {NULL, 0, 0};
    bool equal = false;

    if (check->history->is_pushed)
        return check_is_grade(fate, number, text);
    if (fate->put != NULL) {
        history_write_result(&result, number, fate->put->key);
        equal = text_equal(text, buffer_text(&result));
        buffer_free(&result);
    }
    return equal;
}

/*
 * A result that was put again because the first reply was lost is delivered
 * again; so is one whose deliverer was killed before he could record it.
 */
static void check_again(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];
    size_t again = fate->received_count > 0 ? fate->received_count - 1 : 0;
    size_t excused = fate->unknown_puts;

    check->counts->received_again += (int64_t)again;
    if (again > excused)
        check->by_kill += again - excused;
    for (size_t i = 1; i < fate->received_count; i++) {
        int64_t before_us = fate->received[i - 1]->at_us;

        if (check_has_kill(check, before_us, before_us + RECORD_US))
            continue;
        if (excused > 0)
            excused--;
        else
            complain_again(check, number, before_us, fate->received[i]->at_us);
    }
}

bool check_has_kill(const struct check *check, int64_t from_us, int64_t to_us)
{
    const struct history *history = check->history;

    for (size_t i = 0; i < history->kill_count; i++) {
        if (history->kills_us[i] >= from_us && history->kills_us[i] <= to_us)
            return true;
    }
    return false;
}

/* With what it takes to find out why. */
static void complain_again(struct check *check, int64_t number,
                           int64_t first_us, int64_t second_us)
{
    const struct history *history = check->history;
    const struct fate *fate = &check->fates[number];

    check_complain(check, number, "it was delivered again for no reason");
    buffer_printf(
        &check->problems,
        "    put accepted %.3f s before, second %.3f s after the"
        " first; kills:",
        fate->put == NULL ? 0.0 : (double)(first_us - fate->put->end_us) / 1e6,
        (double)(second_us - first_us) / 1e6);
    for (size_t i = 0; i < history->kill_count; i++)
        buffer_printf(&check->problems, " %.3f",
                      (double)(history->kills_us[i] - first_us) / 1e6);
    buffer_append_string(&check->problems, "\n");
}

void check_complain(struct check *check, int64_t number, const char *what)
{
    if (check->problem_count++ < SHOWN)
        buffer_printf(&check->problems, "submission %lld: %s\n",
                      (long long)number, what);
}

static void free_fates(struct check *check)
{
    for (int64_t i = 0; i < check->fate_count; i++) {
        free(check->fates[i].pulls);
        free(check->fates[i].graded);
        free(check->fates[i].received);
    }
    free(check->fates);
}

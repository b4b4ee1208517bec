/*
 * The promises, one function each. For every number that was sent:
 *
 *   check_submission  acknowledged: pulled, answered and delivered
 *   check_pulls       no two leases at once; none after the result
 *   check_received    the LMS got what was put, as it was put
 *   check_again       a second delivery has a reason
 */
#include "tests/support/history_private.h"

#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHOWN = 30,         /* violations in words; the rest is counted */
    RECORD_US = 5000000 /* from a delivery to its record, at the worst */
};

/* All that is known of a number. */
struct fate {
    const struct event *submit;
    const struct event **pulls; /* answered ones */
    size_t pull_count;
    const struct event *put; /* accepted */
    size_t unknown_puts;
    const struct received **received; /* in their order */
    size_t received_count;
};

struct check {
    const struct history *history;
    const struct history_facts *facts;
    struct history_counts *counts;
    struct fate *fates;
    int64_t fate_count;
    size_t by_kill; /* deliveries again that a kill excuses */
    struct buffer problems;
    size_t problem_count;
};

static void collect(struct check *check);
static void collect_event(struct check *check, const struct event *event);
static void collect_received(struct check *check);
static struct fate *fate_of(struct check *check, int64_t number);
static void append(const void ***list, size_t *count, const void *item);
static void check_submission(struct check *check, int64_t number);
static void check_pulls(struct check *check, int64_t number);
static void check_received(struct check *check, int64_t number);
static bool was_put(const struct check *check, const struct fate *fate,
                    int64_t number, struct text text);
static void check_again(struct check *check, int64_t number);
static bool has_kill(const struct check *check, int64_t from_us, int64_t to_us);
static void complain_again(struct check *check, int64_t number,
                           int64_t first_us, int64_t second_us);
static void complain(struct check *check, int64_t number, const char *what);
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
        check_pulls(&check, number);
        check_received(&check, number);
        check_again(&check, number);
    }
    if (check.by_kill > history->kill_count * facts->deliveries_at_once)
        complain(&check, -1, "more came again than kills can explain");
    if (ret_counts->submitted == 0)
        complain(&check, -1, "nothing was acknowledged: nothing is known");
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
}

static void collect_event(struct check *check, const struct event *event)
{
    struct fate *fate = fate_of(check, event->number);

    if (event->outcome == OUTCOME_WRONG)
        complain(check, event->number, "a client got an impossible reply");
    if (event->outcome != OUTCOME_OK && !check->facts->has_faults)
        complain(check, event->number, "a client was not served");
    if (fate == NULL)
        return;
    if (event->kind == EVENT_SUBMIT) {
        fate->submit = event;
    } else if (event->kind == EVENT_PULL) {
        append((const void ***)&fate->pulls, &fate->pull_count, event);
    } else if (event->outcome == OUTCOME_UNKNOWN) {
        fate->unknown_puts++;
    } else if (event->outcome == OUTCOME_OK) {
        if (fate->put != NULL)
            complain(check, event->number, "two results were accepted");
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
            fate = fate_of(check, number);
        if (fate == NULL)
            complain(check, number, "the LMS got what nobody submitted");
        else
            append((const void ***)&fate->received, &fate->received_count,
                   received);
    }
}

static struct fate *fate_of(struct check *check, int64_t number)
{
    if (number < 0 || number >= check->fate_count)
        return NULL;
    return &check->fates[number];
}

static void append(const void ***list, size_t *count, const void *item)
{
    *list = realloc(*list, (*count + 1) * sizeof **list);
    if (*list == NULL)
        fatal("out of memory: a history");
    (*list)[(*count)++] = item;
}

static void check_submission(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];

    if (fate->submit == NULL || fate->submit->outcome == OUTCOME_REFUSED) {
        if (fate->pull_count > 0 || fate->received_count > 0)
            complain(check, number, "nobody submitted it, but it came");
        return;
    }
    if (fate->submit->outcome == OUTCOME_UNKNOWN) {
        check->counts->unknown++;
        check->counts->recovered += fate->received_count > 0;
        if (fate->put == NULL)
            return;
    }
    check->counts->submitted += fate->submit->outcome == OUTCOME_OK;
    if (fate->pull_count == 0)
        complain(check, number, "an acknowledged submission is lost");
    else if (fate->put == NULL)
        complain(check, number, "no result was ever accepted");
    else if (fate->received_count == 0)
        complain(check, number, "an acknowledged result is lost");
}

/* The lease of a pull begins before its end and lasts to its begin + lease. */
static void check_pulls(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];

    for (size_t i = 0; i < fate->pull_count; i++) {
        const struct event *pull = fate->pulls[i];

        for (size_t k = 0; k < fate->pull_count; k++) {
            const struct event *other = fate->pulls[k];

            if (i == k || other->end_us < pull->end_us)
                continue;
            if (i < k)
                check->counts->pulled_again++;
            if (strcmp(pull->key, other->key) == 0)
                complain(check, number, "two leases have the same key");
            if (other->end_us - pull->begin_us < check->facts->lease_us)
                complain(check, number, "two graders had it at once");
        }
        if (fate->put != NULL && pull->begin_us > fate->put->end_us)
            complain(check, number, "it was handed out after its result");
        if (fate->submit != NULL && pull->end_us < fate->submit->begin_us)
            complain(check, number, "it was handed out before it was sent");
    }
    if (fate->pull_count > 1 && !check->facts->has_faults)
        complain(check, number, "it was handed out twice");
}

static void check_received(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];
    struct buffer header = {NULL, 0, 0};

    history_write_header(&header, check->facts->origin, number);
    for (size_t i = 0; i < fate->received_count; i++) {
        const struct received *received = fate->received[i];

        if (!text_equal(received->header, buffer_text(&header)))
            complain(check, number, "the LMS got another header");
        if (!was_put(check, fate, number, received->body))
            complain(check, number, "the LMS got a result that nobody put");
        if (received->twins > 1)
            complain(check, number, "two deliveries at once");
    }
    buffer_free(&header);
}

/* Only one key can ever be accepted, so there is only one right text. */
static bool was_put(const struct check *check, const struct fate *fate,
                    int64_t number, struct text text)
{
    struct buffer result = {NULL, 0, 0};
    bool equal = false;

    (void)check;
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

        if (has_kill(check, before_us, before_us + RECORD_US))
            continue;
        if (excused > 0)
            excused--;
        else
            complain_again(check, number, before_us, fate->received[i]->at_us);
    }
}

static bool has_kill(const struct check *check, int64_t from_us, int64_t to_us)
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

    complain(check, number, "it was delivered again for no reason");
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

static void complain(struct check *check, int64_t number, const char *what)
{
    if (check->problem_count++ < SHOWN)
        buffer_printf(&check->problems, "submission %lld: %s\n",
                      (long long)number, what);
}

static void free_fates(struct check *check)
{
    for (int64_t i = 0; i < check->fate_count; i++) {
        free(check->fates[i].pulls);
        free(check->fates[i].received);
    }
    free(check->fates);
}

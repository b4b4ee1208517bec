/*
 * The promises about what is pushed to a grader.
 */
#include "tests/support/history_private.h"

void check_collect_graded(struct check *check)
{
    const struct graded_list *list = &check->facts->graded;

    for (size_t i = 0; i < list->count; i++) {
        const struct graded *graded = &list->items[i];
        struct fate *fate = check_fate(check, graded->submission);

        if (graded->number != (int64_t)i + 1)
            check_complain(check, -1, "the grader has forgotten some");
        if (fate == NULL)
            check_complain(check, graded->submission,
                           "the grader got what nobody submitted");
        else
            check_append((const void ***)&fate->graded, &fate->graded_count,
                         graded);
    }
}

void check_pushes(struct check *check, int64_t number)
{
    const struct fate *fate = &check->fates[number];

    for (size_t i = 0; i < fate->graded_count; i++) {
        int64_t at_us = fate->graded[i]->at_us;

        if (fate->submit != NULL && at_us < fate->submit->begin_us)
            check_complain(check, number, "it was pushed before it was sent");
        if (fate->received_count > 0 && at_us > fate->received[0]->at_us)
            check_complain(check, number, "it was pushed after its result");
        if (i > 0 && !check_has_kill(check, fate->graded[i - 1]->at_us, at_us))
            check_complain(check, number, "it was pushed again for no reason");
        check->counts->graded_again += i > 0;
    }
}

/* A kill cuts off what was under way, and nothing else. */
void check_all_pushes(struct check *check)
{
    size_t most = check->history->kill_count * check->facts->pushes_at_once;

    if ((size_t)check->counts->graded_again > most)
        check_complain(check, -1, "more was pushed again than kills explain");
}

bool check_is_grade(const struct fate *fate, int64_t number, struct text text)
{
    bool is_grade = false;

    for (size_t i = 0; i < fate->graded_count && !is_grade; i++) {
        struct buffer grade = {NULL, 0, 0};

        grader_write_grade(&grade, number, fate->graded[i]->time);
        is_grade = text_equal(text, buffer_text(&grade));
        buffer_free(&grade);
    }
    return is_grade;
}

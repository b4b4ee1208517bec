/*
 * Results of submissions that are finished: amended ones, and late ones of
 * submissions that were superseded or given up. Part of db/answer.c.
 */
#ifndef XQUEUE_DB_ANSWER_HISTORY_H
#define XQUEUE_DB_ANSWER_HISTORY_H

#include "db/answer.h"
#include "db/live_batch.h"

/* A result that is stored. */
struct taken_answer {
    struct submission_answer *answer; /* will_deliver and destination are set */
    const struct live_row *live;      /* NULL: of a finished submission */
    int64_t arrival_us;
};

struct answer_batch {
    struct live_batch live;
    struct taken_answer *taken; /* room for all */
    size_t taken_count;
};

/*
 * Lock the finished ones among the batch's submissions, in the order of id,
 * and take their results: those without a live row. One that has to be
 * delivered makes its submission live again.
 */
enum db_status answer_history_take(struct db_conn *db,
                                   struct answer_batch *batch) MUST_CHECK;

/* Does the key fit? In constant time; an empty one never does. */
bool answer_key_fits(const struct submission_answer *answer,
                     struct text pullkey);

#endif

/*
 * Taking the result that a grader puts.
 */
#ifndef XQUEUE_DB_ANSWER_H
#define XQUEUE_DB_ANSWER_H

#include "db/hot_set.h"
#include "db/pool.h"

/*
 * Store the result and, in the same transaction, the callback that will tell
 * the LMS. Ends as
 *   DB_OK         stored (also a repeat with the same key: delivered after
 *                 the first, in order);
 *   DB_NOT_FOUND  no such submission;
 *   DB_MISMATCH   the key is not the newest one of that submission.
 * The result of a superseded submission is stored and not delivered.
 */
struct submission_answer {
    struct db_job job;

    int64_t id;
    struct text pullkey;       /* compared in constant time */
    struct text reply;         /* valid UTF-8; passed on as it is */
    int64_t callback_delay_us; /* after arrival, no callback leaves sooner */
    identify_callback *identify;

    bool will_deliver;   /* out: a callback was stored */
    int64_t destination; /* out, when will_deliver: where it goes */
};

extern const struct db_op submission_answer_op;

#endif

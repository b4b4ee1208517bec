/*
 * The grades of pushes, of all of a batch with a fixed number of statements.
 * Inside a caller's transaction.
 */
#ifndef XQUEUE_DB_PUSH_GRADES_H
#define XQUEUE_DB_PUSH_GRADES_H

#include "db/live_batch.h"
#include "db/push.h"

/* Of a push whose lease is ours, and whose submission nobody ever pulled. */
struct push_grade {
    struct push_end *push;       /* borrows; will_deliver is set */
    const struct live_row *live; /* borrows; not superseded */
};

/* Callbacks, the columns of queue_submission, and the state: answered. */
enum db_status push_grades_store(struct db_conn *db,
                                 const struct live_batch *batch,
                                 const struct push_grade *grades,
                                 size_t count) MUST_CHECK;

#endif

/*
 * Adding a callback to the outbox, inside a caller's transaction that holds
 * the submission's live row, or its queue_submission row when it has none.
 */
#ifndef XQUEUE_DB_OUTBOX_ROW_H
#define XQUEUE_DB_OUTBOX_ROW_H

#include "db/hot_set.h"

struct outbox_row {
    int64_t id; /* of the submission */
    int64_t destination;
    int64_t due_us;
    int64_t now_us;
    enum outbox_kind kind;
    struct text reply; /* absent: the submission's grader_reply */
};

/* Now, but no sooner than `delay_us` after the submission's arrival. */
int64_t outbox_due_us(int64_t arrival_us, int64_t delay_us, int64_t now_us);

/*
 * Behind other callbacks of the same submission, if there are any: they are
 * delivered one after the other, in order. Then the older ones keep the text
 * they have to carry: call this *before* grader_reply is overwritten.
 */
enum db_status outbox_add(struct db_conn *db, struct arena *arena,
                          const struct outbox_row *row) MUST_CHECK;

/* The same for several, each of another submission. */
enum db_status outbox_add_all(struct db_conn *db, struct arena *arena,
                              const struct outbox_row *rows,
                              size_t count) MUST_CHECK;

#endif

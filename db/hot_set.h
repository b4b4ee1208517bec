/*
 * The hot set: narrow rows about submissions that are not finished.
 *
 * xqueue_live says where each stands, xqueue_ready is the order of those that
 * wait, xqueue_outbox holds the callbacks to deliver, xqueue_depth counts
 * (see migrations/0003_hot_set.sql). Every transition locks the live row
 * first, except a lease, which takes ready rows and skips locked ones. When
 * the two meet at one submission it is a deadlock, which the server notices
 * at once: one of them is tried again, and neither sees half of the other.
 *
 * The functions here run inside a caller's transaction.
 *
 * A statement here that locks or changes several rows names its index. These
 * tables are often nearly empty; the optimizer then prefers a scan, which
 * would wait for rows that have nothing to do with it.
 */
#ifndef XQUEUE_DB_HOT_SET_H
#define XQUEUE_DB_HOT_SET_H

#include "db/params.h"
#include "db/transaction.h"

enum {
    PROBLEM_SIZE = 16,
    OWNER_SIZE = 16,
    PULLKEY_SIZE = 32,
    GRADER_ID_CHARACTERS = 128 /* that the column holds */
};

enum live_state {
    LIVE_WAITING = 0,    /* in xqueue_ready; pullkey of an expired lease */
    LIVE_LEASED = 1,     /* expires_us is set */
    LIVE_ANSWERED = 2,   /* in xqueue_outbox */
    LIVE_SUPERSEDED = 3, /* leased, but nobody wants the result any more */
    LIVE_DEAD = 4        /* too many attempts; failure in xqueue_outbox */
};

/* What an outbox row carries. */
enum outbox_kind {
    OUTBOX_RESULT = 0,
    OUTBOX_FAILURE = 1, /* our message that it could not be graded */
    OUTBOX_RETIRED = 2  /* the same, of a submission retired by force */
};

/*
 * From the text of a stored xqueue_header: which problem of which learner
 * (a hash of the full callback URL) and which destination (a hash of its
 * origin). False when the header has no usable URL. Pure; any thread.
 */
typedef bool identify_callback(struct text xqueue_header,
                               unsigned char ret_problem[PROBLEM_SIZE],
                               int64_t *ret_destination);

struct live_row {
    int64_t id;
    int64_t queue_id;
    int64_t arrival_us;
    enum live_state state;
    int64_t attempts;
    int64_t destination;
    struct text pullkey;
    int64_t pulled_us;  /* 0 when never pulled */
    int64_t expires_us; /* 0 when not leased */
    struct text grader_id;
};

/*
 * Lock the live rows of these ids, in the order of id. With `skip_locked`
 * rows that somebody else holds are left out.
 */
enum db_status hot_set_lock(struct db_conn *db, struct arena *arena,
                            const int64_t *ids, size_t count, bool skip_locked,
                            struct live_row **ret_rows,
                            size_t *ret_count) MUST_CHECK;

/* The row of this id, or NULL. */
const struct live_row *hot_set_find(const struct live_row *rows, size_t count,
                                    int64_t id);

/* Put waiting rows into xqueue_ready and count them. */
enum db_status hot_set_add_ready(struct db_conn *db, struct arena *arena,
                                 const struct live_row *rows,
                                 size_t count) MUST_CHECK;

/* Add to the count of waiting submissions of a queue. */
enum db_status hot_set_count(struct db_conn *db, int64_t queue_id,
                             int64_t change) MUST_CHECK;

/* Forget the submissions: live, ready and outbox rows. */
enum db_status hot_set_forget(struct db_conn *db, struct arena *arena,
                              const struct live_row *rows,
                              size_t count) MUST_CHECK;

/* Forget what was to be delivered of these submissions. */
enum db_status hot_set_drop_callbacks(struct db_conn *db, struct arena *arena,
                                      const int64_t *ids,
                                      size_t count) MUST_CHECK;

/*
 * Nobody is handed these submissions any more: out of line, those that a
 * lease that ran out had put back, and on to `state`, LIVE_ANSWERED or
 * LIVE_DEAD.
 */
enum db_status hot_set_settle(struct db_conn *db, struct arena *arena,
                              const struct live_row *rows, size_t count,
                              enum live_state state) MUST_CHECK;

/*
 * Keep the lease's facts in queue_submission, for when the live row goes:
 * pullkey, pull_time, grader_id. Nothing of one that was never pulled.
 */
enum db_status hot_set_keep_lease(struct db_conn *db,
                                  const struct live_row *row) MUST_CHECK;

/* "microseconds from datetime" as SQL; 0 for NULL and for no real date. */
#define SQL_US_FROM_TIME(column)                                               \
    "COALESCE(TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 "                \
    "00:00:00', " column "), 0)"

/* "datetime from microseconds" as SQL; takes one integer parameter. */
#define SQL_TIME_FROM_US                                                       \
    "(TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ? MICROSECOND)"

#endif

/*
 * Bringing queue_submission and the hot set together: when a database that a
 * Django XQueue has served is served by us, and back.
 *
 * Safe beside running servers and safe to repeat: ids are read in chunks,
 * then each chunk is locked and looked at again in a transaction of its own.
 */
#ifndef XQUEUE_DB_ADOPT_H
#define XQUEUE_DB_ADOPT_H

#include "db/hot_set.h"

struct adopt_settings {
    identify_callback *identify;
    int64_t lease_us; /* how long a pull is good for */
};

struct adopt_counts {
    int64_t waiting;  /* joined: to be handed out */
    int64_t leased;   /* joined: a grader has them and time is left */
    int64_t answered; /* joined: the result has not reached the LMS */
    int64_t finished; /* the LMS had acknowledged: now retired */
    int64_t left;     /* out of the hot set: gone, or retired elsewhere */
    int64_t renewed;  /* left and joined: another server went on with them */
    int64_t unknown;  /* joined, but their header names no callback */
};

/*
 * Unretired submissions outside of the hot set join it, each as what it is:
 * nothing that has a result is graded again. Live rows whose submission is
 * gone, retired, or was carried on by another server leave it. Two of one
 * problem: the newer one is it, the older is not superseded.
 */
enum db_status adopt_all(struct db_conn *db,
                         const struct adopt_settings *settings,
                         struct adopt_counts *ret_counts) MUST_CHECK;

/*
 * For a Django server that takes over: who pulled what, when and under which
 * key, from the live rows into queue_submission.
 */
enum db_status adopt_hand_back(struct db_conn *db,
                               int64_t *ret_count) MUST_CHECK;

#endif

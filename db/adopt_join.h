/*
 * One chunk of submissions that join the hot set. Private to db/.
 */
#ifndef XQUEUE_DB_ADOPT_JOIN_H
#define XQUEUE_DB_ADOPT_JOIN_H

#include "db/adopt.h"

/* Numbers of the queues met so far. */
struct adopt_queue {
    struct text name;
    int64_t number;
};

struct adopt_chunk {
    const struct adopt_settings *settings;
    const struct adopt_queue *queues;
    size_t queue_count;
    const int64_t *ids;
    size_t id_count;
    struct adopt_counts counts; /* out: of this chunk */
};

/* A db_body; the context is the chunk. */
enum db_status adopt_join_body(struct db_conn *db, int64_t now_us,
                               void *context);

#endif

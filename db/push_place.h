/*
 * Places at a grader: a row of xqueue_push each, where `id` is the number of
 * the place in its queue and `pullkey` says whose it is. Whoever has a place
 * may have one push under way at a time in it, one after the other, until it
 * leaves the place or the place's lease ends. There are never more than a
 * queue's `concurrency`, over all processes that share the database.
 *
 * The functions here run inside a caller's transaction.
 */
#ifndef XQUEUE_DB_PUSH_PLACE_H
#define XQUEUE_DB_PUSH_PLACE_H

#include "db/hot_set.h"

struct push_place {
    int64_t number;             /* among those of the queue; 0: none */
    char key[PULLKEY_SIZE + 1]; /* nobody else's */
};

/* Those of a queue that somebody has. */
struct push_places {
    int64_t queue_id;
    int64_t now_us;
    int64_t *numbers; /* ascending */
    struct text *keys;
    size_t count;
    bool has_dropped; /* one whose lease was over, which counts no more */
};

/* Only with the queue's row of xqueue_queue locked; waits for nobody else. */
enum db_status push_places_read(struct db_conn *db, struct arena *arena,
                                int64_t queue_id, int64_t now_us,
                                struct push_places *ret_places) MUST_CHECK;

/* Is it among them? */
bool push_places_have(const struct push_places *places,
                      const struct push_place *place);

/*
 * Take `count` more with these keys, until `until_us`: each gets the lowest
 * number that is free.
 */
enum db_status push_places_take(struct db_conn *db, struct arena *arena,
                                const struct push_places *places,
                                int64_t until_us, struct push_place *taken,
                                size_t count) MUST_CHECK;

/* Keep those with these numbers until `until_us` at least. */
enum db_status push_places_extend(struct db_conn *db, struct arena *arena,
                                  const struct push_places *places,
                                  int64_t until_us, const int64_t *numbers,
                                  size_t count) MUST_CHECK;

/* It may be gone already. */
enum db_status push_place_leave(struct db_conn *db, int64_t queue_id,
                                const struct push_place *place) MUST_CHECK;

#endif

/*
 * A batch of jobs of which each is about one submission.
 */
#include "db/live_batch.h"

static int64_t id_of(const struct live_batch *batch, size_t job);

bool live_batch_has_twins(const struct live_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t k = i + 1; k < batch->count; k++) {
            if (id_of(batch, i) == id_of(batch, k))
                return true;
        }
    }
    return false;
}

enum db_status live_batch_lock(struct db_conn *db, struct live_batch *batch)
{
    int64_t *ids = arena_alloc(batch->arena, batch->count * sizeof *ids);

    for (size_t i = 0; i < batch->count; i++)
        ids[i] = id_of(batch, i);
    return hot_set_lock(db, batch->arena, ids, batch->count, false,
                        &batch->rows, &batch->row_count);
}

const struct live_row *live_batch_find(const struct live_batch *batch,
                                       int64_t id)
{
    return hot_set_find(batch->rows, batch->row_count, id);
}

static int64_t id_of(const struct live_batch *batch, size_t job)
{
    return batch->submission_of(batch->jobs[job]);
}

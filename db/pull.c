/*
 * Handing submissions to active graders, several in one transaction.
 */
#include "db/pull.h"

#include "db/lease.h"

#include <string.h>

enum { BATCH = 64 };

struct batch {
    struct db_job **jobs;
    size_t count;
    size_t served; /* pullers that got one */
};

static enum db_status run_pull(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status pull_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status pull_into(struct db_conn *db, struct batch *batch,
                                struct arena *arena, int64_t now_us);
static void serve(struct submission_pull *self, const struct leased *leased);

const struct db_op submission_pull_op = {
    .kind = DB_OP_KIND("pull", BATCH, 1),
    .run_batch = run_pull,
};

static struct submission_pull *item(const struct batch *batch, size_t i)
{
    return CONTAINER_OF(batch->jobs[i], struct submission_pull, job);
}

static enum db_status run_pull(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct batch batch = {.jobs = jobs, .count = count};
    enum db_status status = db_transact(db, pull_body, &batch);

    if (status == DB_NOT_FOUND)
        return DB_OK; /* each job says so itself */
    for (size_t i = 0; i < batch.served && status == DB_OK; i++) {
        if (item(&batch, i)->compose != NULL)
            item(&batch, i)->compose(item(&batch, i));
    }
    return status;
}

/* DB_NOT_FOUND when none waits: nothing is committed then, nor flushed. */
static enum db_status pull_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct arena *arena = arena_new();
    enum db_status status = pull_into(db, context, arena, now_us);

    arena_free(arena);
    return status;
}

static enum db_status pull_into(struct db_conn *db, struct batch *batch,
                                struct arena *arena, int64_t now_us)
{
    struct text *grader_ids =
        arena_alloc(arena, batch->count * sizeof *grader_ids);
    const struct lease_request request = {
        .queue_id = item(batch, 0)->queue_id,
        .wanted = batch->count,
        .grader_ids = grader_ids,
        .now_us = now_us,
        .lease_us = item(batch, 0)->lease_us,
    };
    struct leases leases;
    enum db_status status;

    batch->served = 0;
    for (size_t i = 0; i < batch->count; i++) {
        batch->jobs[i]->status = DB_NOT_FOUND;
        grader_ids[i] = item(batch, i)->grader_id;
    }
    status = lease_oldest(db, arena, &request, &leases);
    if (status != DB_OK)
        return status;
    batch->served = leases.count;
    for (size_t i = 0; i < leases.count; i++)
        serve(item(batch, i), &leases.list[i]);
    return leases.changed ? DB_OK : DB_NOT_FOUND;
}

static void serve(struct submission_pull *self, const struct leased *leased)
{
    self->id = leased->id;
    memcpy(self->pullkey, leased->pullkey, sizeof self->pullkey);
    self->attempt = leased->attempt;
    self->body = arena_copy(self->arena, leased->body);
    self->files.keys = arena_copy(self->arena, leased->files.keys);
    self->files.urls = arena_copy(self->arena, leased->files.urls);
    self->job.status = DB_OK;
}

/*
 * What operators do to many submissions at once. Blocking: for commands.
 */
#ifndef XQUEUE_DB_RETIRE_H
#define XQUEUE_DB_RETIRE_H

#include "db/file_rows.h"
#include "db/hot_set.h"

struct queue_count {
    struct text queue_name; /* in the arena */
    int64_t count;
};

/* Unretired submissions of each queue that has some, most first. */
enum db_status count_unretired(struct db_conn *db, struct arena *arena,
                               struct queue_count **ret_counts,
                               size_t *ret_count) MUST_CHECK;

/* Tells of each submission that is retired. */
typedef void retire_progress(int64_t id, struct text queue_name,
                             int64_t failures, void *context);

struct retire_settings {
    struct text queue_name;    /* absent: every queue; not for retire_old() */
    struct text failure;       /* what the LMS is told */
    retire_progress *progress; /* may be NULL */
    void *context;
};

/*
 * Submissions with at least `max_failures` failures, but (unless by force)
 * not those whose result is still being delivered. With `force` they are
 * retired without a word; otherwise the LMS is told, and they are retired
 * once it has heard. Every unretired submission must be in the hot set (see
 * db/adopt.h).
 */
enum db_status retire_failed(struct db_conn *db,
                             const struct retire_settings *settings,
                             int64_t max_failures, bool force,
                             int64_t *ret_retired) MUST_CHECK;

/*
 * Submissions that arrived at `before` or earlier ("YYYY-MM-DD HH:MM:SS",
 * UTC; absent: all). Retired at once; the LMS is told.
 */
enum db_status retire_old(struct db_conn *db,
                          const struct retire_settings *settings,
                          struct text before, int64_t *ret_retired) MUST_CHECK;

/*
 * Deleting old submissions, finished or not, chunk by chunk: choose one, see
 * to the files, delete the rows. When that ends before the last step, the
 * next time finds the same rows and does it all again.
 */
struct old_submission {
    struct file_row row;
    /* A younger submission has the same header, and so the same files. */
    bool shares_files;
};

/*
 * The first `limit` of those that arrived `days` ago or earlier and whose id
 * is beyond `after_id`; none when there are no more. They and their texts
 * live in the arena.
 */
enum db_status delete_old_choose(struct db_conn *db, struct arena *arena,
                                 int64_t days, size_t limit, int64_t after_id,
                                 struct old_submission **ret_chosen,
                                 size_t *ret_count) MUST_CHECK;

/* Delete these, in one transaction, and all that belongs to them. */
enum db_status delete_old_rows(struct db_conn *db,
                               const struct old_submission *chosen,
                               size_t count) MUST_CHECK;

#endif

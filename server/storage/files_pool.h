/*
 * Threads for work on files, which may wait for a disk, on the event loop.
 * Loop thread.
 */
#ifndef XQUEUE_STORAGE_FILES_POOL_H
#define XQUEUE_STORAGE_FILES_POOL_H

#include "server/base/workers.h"
#include "server/task/task.h"

enum { FILES_POOL_THREADS = 2, FILES_POOL_WAITING = 256 };

struct files_pool;

/* Whether the work is to be run once more, after others had their turn. */
enum files_turn { FILES_DONE, FILES_MORE };

/* To be embedded. Until the step it belongs to the pool. */
struct files_work {
    enum files_turn (*run)(struct files_work *work); /* worker */

    struct job job; /* internal, like all below */
    struct files_pool *pool;
    struct task *task;
    enum files_turn turn;
};

struct files_pool *files_pool_start(struct loop *loop);

/*
 * Run the work on a worker, then `next`. When FILES_POOL_WAITING are waiting,
 * or the pool stops, `next` comes without: before this, and before it returns
 * FILES_MORE, the work must look like one that failed.
 */
enum step files_pool_await(struct files_pool *pool, struct task *task,
                           struct files_work *work, task_step *next) MUST_CHECK;

/* What is running ends, what waits does not begin. NULL is legal. */
void files_pool_stop(struct files_pool *pool);

#endif

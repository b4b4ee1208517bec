/*
 * The database pool on the event loop. Loop thread.
 */
#ifndef XQUEUE_TASK_DATABASE_H
#define XQUEUE_TASK_DATABASE_H

#include "db/pool.h"
#include "server/config/config.h"

struct database;
struct loop;

/* The connection settings of a configuration; borrows its strings. */
struct db_settings database_settings(const struct config *config);

/* Starts the threads. Borrows the config for life. */
struct database *database_start(struct loop *loop, const struct config *config);

/*
 * Run the job on a database thread; job->done runs on the loop, exactly
 * once. When the pool is full or the database away, it runs before this
 * returns, with status DB_AWAY.
 */
void database_run(struct database *database, struct db_job *job);

/*
 * Block until a thread is connected, or the time is over: before the loop
 * runs, so that the first request does not find them connecting.
 */
void database_wait(struct database *database, int timeout_ms);

/* Joins the threads; `done` of what waited runs with DB_CANCELED. */
void database_stop(struct database *database); /* NULL is legal */

#endif

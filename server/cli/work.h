/*
 * What the commands that work on the database have in common: configuration,
 * one connection, and an end.
 */
#ifndef XQUEUE_CLI_WORK_H
#define XQUEUE_CLI_WORK_H

#include "db/conn.h"
#include "server/cli/command.h"

struct work {
    struct config *config;
    struct db_settings database;
    struct db_conn *db;
    struct arena *arena;
};

/* False after saying why on standard error; nothing needs to be ended then. */
bool work_begin(const struct options *options,
                struct work *ret_work) MUST_CHECK;

/* The same, and the schema must be current. */
bool work_begin_migrated(const struct options *options,
                         struct work *ret_work) MUST_CHECK;

void work_end(struct work *work);

/* Say what failed, in words; the exit code for it. */
enum exit_code work_failed(const struct work *work, const char *what,
                           enum db_status status);

/*
 * Bring queue_submission and the hot set into line (db/adopt.h): needed
 * before anything that retires or serves.
 */
bool work_adopt(struct work *work) MUST_CHECK;

#endif

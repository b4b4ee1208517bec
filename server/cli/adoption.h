/*
 * Adopting open submissions (db/adopt.h) as this configuration wants it.
 */
#ifndef XQUEUE_CLI_ADOPTION_H
#define XQUEUE_CLI_ADOPTION_H

#include "db/conn.h"
#include "server/config/config.h"

/*
 * Does it, and writes a line to the log when there was anything to adopt.
 * Blocking.
 */
enum db_status adoption_run(struct db_conn *db,
                            const struct config *config) MUST_CHECK;

#endif

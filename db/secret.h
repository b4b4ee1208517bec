/*
 * Secrets that the processes of one database share, in xqueue_secret.
 */
#ifndef XQUEUE_DB_SECRET_H
#define XQUEUE_DB_SECRET_H

#include "db/conn.h"

enum { SECRET_SIZE = 32 };

/* The random secret of that name, made when there is none yet. */
enum db_status secret_get(struct db_conn *db, const char *name,
                          unsigned char ret_secret[SECRET_SIZE]) MUST_CHECK;

#endif

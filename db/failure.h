/*
 * What the error numbers of the server and of the client library mean to us.
 * Private to db/.
 */
#ifndef XQUEUE_DB_FAILURE_H
#define XQUEUE_DB_FAILURE_H

#include "db/status.h"

#include <stdbool.h>

/* While connecting, what is not known to be temporary is DB_FAILED. */
enum db_status failure_of_connect(unsigned number);

/* Of a statement on an open connection. */
enum db_status failure_of_statement(unsigned number, const char *message);

/* Is the connection of no more use after this error? */
bool failure_ends_connection(unsigned number);

#endif

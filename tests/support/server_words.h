/*
 * The command lines of a database server for a test program: MariaDB's, or
 * MySQL's when XQUEUE_TEST_MYSQLD in the environment names its `mysqld`.
 */
#ifndef XQUEUE_TESTS_SUPPORT_SERVER_WORDS_H
#define XQUEUE_TESTS_SUPPORT_SERVER_WORDS_H

#include "server/base/arena.h"
#include "tests/support/mariadb_server.h"

/* The program of MySQL, or NULL where the servers are MariaDBs. */
const char *server_words_mysqld(void);

/* Up to a NULL: make the data; serve them until a signal comes. */
const char *const *server_words_install(struct arena *arena,
                                        const struct mariadb_server *server);
const char *const *server_words_serve(struct arena *arena,
                                      const struct mariadb_server *server);

#endif

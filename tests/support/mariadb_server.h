/*
 * The process behind tests/support/mariadb.h: its directory, its start and
 * its end. It is a MariaDB, or a MySQL: see tests/support/server_words.h.
 */
#ifndef XQUEUE_TESTS_SUPPORT_MARIADB_SERVER_H
#define XQUEUE_TESTS_SUPPORT_MARIADB_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

enum { SERVER_PATH_SIZE = 100 }; /* a socket's path is not longer */

struct mariadb_server {
    char directory[SERVER_PATH_SIZE - 8];
    char socket[SERVER_PATH_SIZE];
    bool is_durable; /* flushes its log at every commit */
    /* Options for reaching it by TCP, up to a NULL; NULL: by socket alone. */
    const char *const *network;
    const char *const *options; /* further ones, up to a NULL; NULL: none */
    pid_t owner;                /* internal: who made it */
};

/* Makes the directory and the data; fatal when it cannot. */
void mariadb_server_create(struct mariadb_server *server);

/* Fatal when the last one still runs, or when it does not start. */
void mariadb_server_start(const struct mariadb_server *server);

bool mariadb_server_answers(const struct mariadb_server *server);

/* Send the signal and wait until the process has gone; it may have before. */
void mariadb_server_end(const struct mariadb_server *server, int signal);

/* It goes on, should SIGSTOP have stopped it. */
void mariadb_server_thaw(const struct mariadb_server *server);

void mariadb_server_remove(const struct mariadb_server *server);

/* Run a program with its output discarded, or shown when it fails. */
void mariadb_server_command(const char *const *words, const char *input);

#endif

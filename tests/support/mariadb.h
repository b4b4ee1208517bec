/*
 * A private database server for a test program: in a directory of its own, on
 * a unix socket, gone when the program ends. Every test makes databases of
 * its own in it. It is a MariaDB, or, with XQUEUE_TEST_MYSQLD=/usr/sbin/mysqld
 * in the environment, a MySQL.
 *
 *     DATABASE_STORY("pool", TELL(...), ...)
 *
 * With XQUEUE_TEST_DATABASE=host:port:user:password in the environment, that
 * server is used instead, beside others who use it. Programs that stop their
 * server, freeze it, or change its settings have a private one all the same.
 * Whatever fails here fails the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_MARIADB_H
#define XQUEUE_TESTS_SUPPORT_MARIADB_H

#include "db/conn.h"
#include "server/base/compiler.h"
#include "tests/support/certificates.h"
#include "tests/support/story.h"

/* For before_all and after_all. */
void mariadb_start(void);
void mariadb_start_own(void); /* private, flushes its log at every commit */
void mariadb_start_tls(void); /* the same, by TCP too, with certificates */
void mariadb_stop(void);      /* and remove what was made */

/* mariadb_start_own() with further options of the server, up to a NULL. */
void mariadb_start_own_with(const char *const *options);

bool mariadb_is_private(void);

/* After mariadb_start_tls(): where it listens, and its certificates. */
unsigned mariadb_port(void);
const struct certificates *mariadb_certificates(void);

/*
 * Is it MySQL? The two servers tell about themselves in different tables;
 * these hold the counters, by VARIABLE_NAME and VARIABLE_VALUE, of the session
 * that asks and of all.
 */
bool mariadb_is_mysql(void);
const char *mariadb_session_status(void);
const char *mariadb_global_status(void);

/* After mariadb_start_own(): kill -9; ask to end; start again after either. */
void mariadb_kill(void);
void mariadb_shut_down(void);
void mariadb_restart(void);

/*
 * A new empty database, or one with the current schema, and how to reach it.
 * The helpers below use the newest. Valid to the end of the test.
 */
const struct db_settings *mariadb_empty_database(void);
const struct db_settings *mariadb_database(void);

/* End a connection, by its number at the server; it may have ended already. */
void mariadb_kill_connection(uint64_t id);

/*
 * The table of the numbers n from 1 to %d, at most a million: neither server
 * knows the other's sequences.
 */
#define MARIADB_NUMBERS                                                        \
    "(SELECT ROW_NUMBER() OVER () AS n FROM (SELECT 1 FROM " MARIADB_DIGITS    \
    " a, " MARIADB_DIGITS " b, " MARIADB_DIGITS " c, " MARIADB_DIGITS          \
    " d, " MARIADB_DIGITS " e, " MARIADB_DIGITS " f LIMIT %d) some) numbers"
#define MARIADB_DIGITS                                                         \
    "(SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"       \
    " UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6"                \
    " UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"

/* Run an SQL file of the repository, "tests/fixtures/x.sql", as a client. */
void mariadb_load(const char *path);

/* Over a connection of its own, so a broken one under test does not matter. */
void mariadb_run(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * The first cell of a query as text; "NULL" for NULL, "" for no row. Valid to
 * the end of the test.
 */
const char *mariadb_value(const char *format, ...) PRINTF_LIKE(1, 2);

/* ck_assert_str_eq() on such a value. */
#define ck_assert_value(expected, ...)                                         \
    ck_assert_str_eq(mariadb_value(__VA_ARGS__), (expected))

/* Wait, with a deadline, until a query's first cell is `expected`. */
void mariadb_wait_for_value(const char *expected, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* A whole test program with a private server. */
#define DATABASE_STORY(story_name, ...)                                        \
    int main(void)                                                             \
    {                                                                          \
        static const struct story_test tests[] = {__VA_ARGS__};                \
        static const struct story story = {                                    \
            .name = (story_name),                                              \
            .tests = tests,                                                    \
            .count = sizeof tests / sizeof tests[0],                           \
            .before_all = mariadb_start,                                       \
            .after_all = mariadb_stop,                                         \
            .before_each = db_library_start,                                   \
            .after_each = db_library_stop,                                     \
            .timeout_s = 60,                                                   \
        };                                                                     \
        return story_run(&story);                                              \
    }

#endif

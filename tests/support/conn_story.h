/*
 * Tests of what runs on one connection: each has a database of its own, the
 * connection to it, and an arena.
 */
#ifndef XQUEUE_TESTS_SUPPORT_CONN_STORY_H
#define XQUEUE_TESTS_SUPPORT_CONN_STORY_H

#include "tests/support/mariadb.h"

/* For the length of a test. */
extern const struct db_settings *database;
extern struct db_conn *db;
extern struct arena *arena;

/* For before_each: with the current schema, or without any table. */
void conn_story_begin(void);
void conn_story_begin_empty(void);

/* Another connection is refused for this reason. */
enum { CONN_ACCESS_DENIED = 1045, CONN_TLS_FAILED = 2026 };
void conn_story_expect_refusal(const struct db_settings *settings,
                               unsigned number);

/* For after_each. */
void conn_story_end(void);

#endif

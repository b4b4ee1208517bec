/*
 * Tests of what runs on one connection.
 */
#include "tests/support/conn_story.h"

const struct db_settings *database;
struct db_conn *db;
struct arena *arena;

static void begin_on(const struct db_settings *settings);

void conn_story_begin(void)
{
    db_library_start();
    begin_on(mariadb_database());
}

void conn_story_begin_empty(void)
{
    db_library_start();
    begin_on(mariadb_empty_database());
}

void conn_story_expect_refusal(const struct db_settings *settings,
                               unsigned number)
{
    struct db_conn *conn = db_conn_new(settings);

    ck_assert_int_eq(db_conn_open(conn), DB_FAILED);
    ck_assert_msg(db_conn_error_number(conn) == number, "%u: %s",
                  db_conn_error_number(conn), db_conn_error(conn));
    db_conn_free(conn);
}

void conn_story_end(void)
{
    arena_free(arena);
    db_conn_free(db);
    db_library_stop();
}

static void begin_on(const struct db_settings *settings)
{
    database = settings;
    db = db_conn_new(database);
    arena = arena_new();
}

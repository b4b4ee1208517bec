/*
 * db/conn.c: who is let in, by TCP, with the default plug-in of the server. A
 * MySQL knows a password by heart (caching_sha2_password) once it has come in
 * full, which costs TLS or a key exchange: so each user here is new.
 */
#include "db/conn.h"

#include "tests/support/conn_story.h"

#include <stdlib.h>

static struct db_settings settings;
static const char *user;

static void start(void)
{
    const char *external = getenv("XQUEUE_TEST_DATABASE");

    if (external != NULL && external[0] != '\0')
        mariadb_start();
    else
        mariadb_start_tls();
}

static void set_up(void)
{
    conn_story_begin_empty();
    /* No name of others who use this server. */
    user = arena_printf(arena, "u%s", mariadb_value("SELECT LEFT(UUID(), 8)"));
    settings = *database;
    settings.user = user;
    settings.password = "p\xc3\xa4ss' word";
    if (mariadb_is_private()) {
        settings.unix_socket = NULL;
        settings.host = "127.0.0.1";
        settings.port = mariadb_port();
    }
    mariadb_run("CREATE USER '%s'@'%%' IDENTIFIED BY 'p\xc3\xa4ss'' word'",
                user);
    mariadb_run("GRANT ALL ON %s.* TO '%s'@'%%'", database->name, user);
}

static void tear_down(void)
{
    mariadb_run("DROP USER '%s'@'%%'", user);
    conn_story_end();
}

static void expect_welcome(void)
{
    struct db_conn *conn = db_conn_new(&settings);

    ck_assert_msg(db_conn_open(conn) == DB_OK, "%s", db_conn_error(conn));
    db_conn_free(conn);
}

START_TEST(a_new_user_is_let_in_without_tls)
{
    expect_welcome();
    expect_welcome();
}
END_TEST

START_TEST(a_new_user_is_let_in_with_tls)
{
    settings.tls = DB_TLS_REQUIRED;
    expect_welcome();
    expect_welcome();
}
END_TEST

START_TEST(a_user_who_needs_tls_is_let_in_with_it_alone)
{
    mariadb_run("ALTER USER '%s'@'%%' REQUIRE SSL", user);
    conn_story_expect_refusal(&settings, CONN_ACCESS_DENIED);
    settings.tls = DB_TLS_REQUIRED;
    expect_welcome();
}
END_TEST

START_TEST(a_wrong_password_is_refused_with_and_without_tls)
{
    settings.password = "pass word";
    conn_story_expect_refusal(&settings, CONN_ACCESS_DENIED);
    settings.tls = DB_TLS_REQUIRED;
    conn_story_expect_refusal(&settings, CONN_ACCESS_DENIED);
}
END_TEST

START_TEST(a_changed_password_is_the_one_that_counts)
{
    expect_welcome();
    mariadb_run("ALTER USER '%s'@'%%' IDENTIFIED BY 'new'", user);
    conn_story_expect_refusal(&settings, CONN_ACCESS_DENIED);
    settings.password = "new";
    expect_welcome();
}
END_TEST

START_TEST(a_server_whose_authority_is_not_ours_is_refused)
{
    struct certificates files;

    certificates_make(&files);
    settings.tls = DB_TLS_VERIFY_CA;
    settings.tls_ca = files.other_ca;
    conn_story_expect_refusal(&settings, CONN_TLS_FAILED);
    certificates_remove(&files);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_new_user_is_let_in_without_tls),
        TELL(a_new_user_is_let_in_with_tls),
        TELL(a_user_who_needs_tls_is_let_in_with_it_alone),
        TELL(a_wrong_password_is_refused_with_and_without_tls),
        TELL(a_changed_password_is_the_one_that_counts),
        TELL(a_server_whose_authority_is_not_ours_is_refused),
    };
    static const struct story story = {
        .name = "login",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = start,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}

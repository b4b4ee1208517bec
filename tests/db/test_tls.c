/*
 * db/conn.c with TLS: whom it trusts, and how it shows who it is. The server
 * has a certificate for 127.0.0.1, and listens at 127.0.0.2 as well.
 */
#include "db/conn.h"

#include "db/mysql_private.h"
#include "tests/support/conn_story.h"

static struct db_settings settings;
static const struct certificates *files;

static void set_up(void)
{
    conn_story_begin_empty();
    files = mariadb_certificates();
    settings = *database;
    settings.unix_socket = NULL;
    settings.host = "127.0.0.1";
    settings.port = mariadb_port();
    settings.user = "secure";
    settings.password = "password";
    mariadb_run("DROP USER IF EXISTS secure@'%%'"); /* of one that failed */
    mariadb_run("CREATE USER secure@'%%' IDENTIFIED BY 'password'"
                " REQUIRE SSL");
    mariadb_run("GRANT ALL ON *.* TO secure@'%%'");
}

static void tear_down(void)
{
    mariadb_run("DROP USER secure@'%%'");
    conn_story_end();
}

static const char *cipher(struct db_conn *conn)
{
    struct db_rows rows;

    ck_assert_int_eq(db_query(conn, arena,
                              "SHOW SESSION STATUS LIKE 'Ssl_cipher'", NULL, 0,
                              &rows),
                     DB_OK);
    return arena_string(arena, db_text(&rows, 0, 1));
}

static void expect_connection(void)
{
    struct db_conn *conn = db_conn_new(&settings);

    ck_assert_msg(db_conn_open(conn) == DB_OK, "%s", db_conn_error(conn));
    ck_assert_str_ne(cipher(conn), "");
    db_conn_free(conn);
}

START_TEST(a_user_who_needs_tls_is_refused_without_it)
{
    settings.tls = DB_TLS_OFF;
    conn_story_expect_refusal(&settings, CONN_ACCESS_DENIED);
    settings.tls = DB_TLS_REQUIRED;
    expect_connection();
}
END_TEST

START_TEST(required_tls_asks_for_no_authority)
{
    settings.tls = DB_TLS_REQUIRED;
    settings.host = "127.0.0.2";
    expect_connection();
}
END_TEST

/* Connector/C has come to look at the name all the same. */
static bool verify_ca_is_lenient(void)
{
#ifdef LIBMARIADB
    return mysql_get_client_version() < 30400;
#else
    return true;
#endif
}

START_TEST(the_right_authority_is_enough_for_verify_ca)
{
    settings.tls = DB_TLS_VERIFY_CA;
    settings.tls_ca = files->ca;
    expect_connection();
    settings.host = "127.0.0.2";
    if (verify_ca_is_lenient())
        expect_connection();
    else
        conn_story_expect_refusal(&settings, CONN_TLS_FAILED);
}
END_TEST

START_TEST(another_authority_is_refused)
{
    settings.tls_ca = files->other_ca;
    settings.tls = DB_TLS_VERIFY_CA;
    conn_story_expect_refusal(&settings, CONN_TLS_FAILED);
    settings.tls = DB_TLS_VERIFY;
    conn_story_expect_refusal(&settings, CONN_TLS_FAILED);
}
END_TEST

START_TEST(verifying_the_identity_needs_the_name_in_the_certificate)
{
    settings.tls = DB_TLS_VERIFY;
    settings.tls_ca = files->ca;
    expect_connection();
    settings.host = "127.0.0.2";
    conn_story_expect_refusal(&settings, CONN_TLS_FAILED);
}
END_TEST

START_TEST(a_user_who_needs_a_certificate_comes_with_it)
{
    mariadb_run("ALTER USER secure@'%%' REQUIRE X509");
    settings.tls = DB_TLS_VERIFY_CA;
    settings.tls_ca = files->ca;
    conn_story_expect_refusal(&settings, CONN_ACCESS_DENIED);
    settings.tls_cert = files->client;
    settings.tls_key = files->client_key;
    expect_connection();
}
END_TEST

START_TEST(a_file_that_is_not_there_is_a_failure)
{
    settings.tls = DB_TLS_VERIFY_CA;
    settings.tls_ca = "/nonexistent/ca.pem";
    conn_story_expect_refusal(&settings, CONN_TLS_FAILED);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_user_who_needs_tls_is_refused_without_it),
        TELL(required_tls_asks_for_no_authority),
        TELL(the_right_authority_is_enough_for_verify_ca),
        TELL(another_authority_is_refused),
        TELL(verifying_the_identity_needs_the_name_in_the_certificate),
        TELL(a_user_who_needs_a_certificate_comes_with_it),
        TELL(a_file_that_is_not_there_is_a_failure),
    };
    static const struct story story = {
        .name = "tls",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_tls,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}

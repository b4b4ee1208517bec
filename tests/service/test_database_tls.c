/*
 * DATABASES.default.OPTIONS with `ssl` and `ssl_mode`, as Django takes them,
 * against a database that lets nobody in without a certificate.
 */
#include "tests/support/service_story.h"

#include <string.h>

static struct db_settings database;
static const struct certificates *files;

static void set_up(void)
{
    db_library_start();
    scratch = arena_new();
    files = mariadb_certificates();
    database = *mariadb_database();
    database.unix_socket = NULL;
    database.host = "127.0.0.1";
    database.port = mariadb_port();
    database.user = "secure";
    database.password = "password";
    database.tls = DB_TLS_VERIFY_CA;
    database.tls_ca = files->ca;
    database.tls_cert = files->client;
    database.tls_key = files->client_key;
    mariadb_run("DROP USER IF EXISTS secure@'%%'"); /* of one that failed */
    mariadb_run("CREATE USER secure@'%%' IDENTIFIED BY 'password'"
                " REQUIRE X509");
    mariadb_run("GRANT ALL ON %s.* TO secure@'%%'", database.name);
}

static void tear_down(void)
{
    service_stop(service);
    mariadb_run("DROP USER secure@'%%'");
    arena_free(scratch);
    db_library_stop();
}

static void expect_service(void)
{
    service = service_start(&(struct service_settings){.database = &database});
    client = http_client_new(service_port(service));
    log_in(client);
    expect_reply(lms_submit(lms_header("test-pull", NULL), "body"), 0, "\"1\"");
    http_client_free(client);
}

START_TEST(it_serves_from_a_database_whose_authority_it_knows)
{
    expect_service();
}
END_TEST

START_TEST(and_from_one_whose_name_it_verifies)
{
    database.tls = DB_TLS_VERIFY;
    expect_service();
}
END_TEST

/* `xqueue check` ends with 1 and says so. */
static void expect_complaint(const char *words)
{
    struct text output;

    service = service_new(&(struct service_settings){.database = &database});
    ck_assert_int_eq(service_command(service, &output, "check", NULL), 1);
    ck_assert_msg(strstr(arena_string(scratch, output), words) != NULL, "%.*s",
                  TEXT_ARGUMENTS(output));
}

START_TEST(check_names_a_certificate_that_cannot_be_verified)
{
    database.tls_ca = files->other_ca;
    expect_complaint("certificate");
}
END_TEST

START_TEST(check_names_a_user_who_is_refused)
{
    database.tls = DB_TLS_REQUIRED;
    database.tls_ca = database.tls_cert = database.tls_key = NULL;
    expect_complaint("Access denied for user");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(it_serves_from_a_database_whose_authority_it_knows),
        TELL(and_from_one_whose_name_it_verifies),
        TELL(check_names_a_certificate_that_cannot_be_verified),
        TELL(check_names_a_user_who_is_refused),
    };
    static const struct story story = {
        .name = "database tls",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_tls,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = tear_down,
        .timeout_s = 60,
    };

    return story_run(&story);
}

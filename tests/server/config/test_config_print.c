/*
 * server/config/config_print.c
 */
#include "server/config/settings.h"
#include "tests/support/config_story.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>

/* What a printer writes, from malloc. */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    print(out);
    fclose(out);
    return text;
}

static void print_loaded(FILE *out)
{
    config_print(config, out);
}

START_TEST(every_setting_is_in_the_help_and_in_the_markdown)
{
    char *help = printed(config_print_help);
    char *markdown = printed(config_print_markdown);

    ck_assert_uint_ge(settings_count(), 30);
    for (size_t i = 0; i < settings_count(); i++) {
        const char *name = settings_at(i)->name;
        char row[100];

        snprintf(row, sizeof row, "| `%s` |", name);
        ck_assert_msg(strstr(markdown, row) != NULL, "%s", row);
        snprintf(row, sizeof row, "  %s", name);
        ck_assert_msg(strstr(help, row) != NULL, "%s", row);
    }
    ck_assert_ptr_nonnull(
        strstr(markdown,
               "| `DB_CONNECTIONS` | a whole number from 1 to 64 | `8` | no | "
               "Connections to the database, each with a thread. |\n"));
    free(help);
    free(markdown);
}
END_TEST

START_TEST(every_setting_is_printed_and_no_secret_is)
{
    char *print;

    load("XQUEUES:\n  p: null\n  s: http://h:1/x@y\n"
         "  t: {url: 'https://h/', basic_auth: [me, canary],"
         " keep_alive: true}\n"
         "USERS: {lms: canary}\nREQUESTS_BASIC_AUTH: [edx, canary]\n"
         "DATABASES: {default: {PASSWORD: canary, OPTIONS: {ssl: {ca: /c}}}}\n"
         "SECRET_KEY: canary\nAWS_SECRET_ACCESS_KEY: canary\n"
         "AWS_SESSION_TOKEN: canary\nMEDIA_URL: media\n"
         "REQUEST_MAX_BYTES: 1000000\nCALLBACK_ALLOWED_HOSTS: [a, b]\n");
    print = printed(print_loaded);
    for (size_t i = 0; i < settings_count(); i++)
        ck_assert_msg(strstr(print, settings_at(i)->name) != NULL, "%s",
                      settings_at(i)->name);
    ck_assert_ptr_null(strstr(print, "canary"));
    ck_assert_ptr_nonnull(strstr(
        print,
        "XQUEUES:\n"
        "  p: pulled, processing_delay 1, max_attempts 5\n"
        "  s: http://h:1/x@y, concurrency 1, timeout 30,"
        " processing_delay 1, max_attempts 5, basic_auth edx"
        " ****, verify_tls true, ca_file none\n"
        "  t: https://h/, concurrency 1, timeout 30,"
        " keep_alive true, processing_delay 1, max_attempts 5, basic_auth me"
        " ****, verify_tls true, ca_file none\n"
        "USERS:\n  lms: ****\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nDB_PASSWORD: ****\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nSECRET_KEY: ****\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nAWS_SECRET_ACCESS_KEY: ****\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nAWS_SESSION_TOKEN: ****\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nMEDIA_URL: /media/\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nREQUESTS_BASIC_AUTH: edx ****\n"));
    ck_assert_ptr_nonnull(
        strstr(print, "\nREQUEST_MAX_BYTES: 1000000 bytes\n"));
    ck_assert_ptr_nonnull(strstr(print, "\nCALLBACK_ALLOWED_HOSTS: a, b\n"));
    ck_assert_ptr_nonnull(strstr(print, "ssl_mode: VERIFY_CA\n"));
    free(print);
}
END_TEST

START_TEST(the_password_in_an_address_is_not_printed)
{
    char *print;

    load("XQUEUES:\n  q: http://me:canary@h/p\n");
    print = printed(print_loaded);
    ck_assert_ptr_null(strstr(print, "canary"));
    ck_assert_ptr_nonnull(
        strstr(print, "  q: http://h/p, concurrency 1, timeout 30,"
                      " processing_delay 1, max_attempts 5, basic_auth me"
                      " ****, verify_tls true, ca_file none\n"));
    free(print);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(every_setting_is_in_the_help_and_in_the_markdown),
        TELL(every_setting_is_printed_and_no_secret_is),
        TELL(the_password_in_an_address_is_not_printed),
    };
    static const struct story story = {
        .name = "config print",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}

/*
 * What the commands do to uploaded files: R42, and the end of submissions.
 */
#include "server/base/json.h"
#include "server/storage/file_key.h"
#include "tests/support/media_root.h"
#include "tests/support/program.h"
#include "tests/support/service_story.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define HOUR     3600
#define SOME_KEY "0123456789abcdef0123456789abcdef"

static void begin(void)
{
    own_service_begin(&(struct service_settings){0});
}

static const char *run(int exit_code, const char *const *words)
{
    struct text output;
    const char *text;
    const int code = service_command(
        service, &output, words[0], words[1], words[1] ? words[2] : NULL,
        words[1] && words[2] ? words[3] : NULL, NULL);

    text = arena_string(scratch, output);
    ck_assert_msg(code == exit_code, "exit code %d:\n%s", code, text);
    return text;
}

/* `xqueue WORD...` ends with that code; its output. At most four words. */
#define RUN(exit_code, ...)                                                    \
    run((exit_code), (const char *const[5]){__VA_ARGS__})

static void expect_words(const char *output, const char *words)
{
    ck_assert_msg(strstr(output, words) != NULL, "no %s in:\n%s", words,
                  output);
}

static const char *key_of(const char *header, const char *name)
{
    char *key = arena_strdup(scratch, SOME_KEY);

    file_key(text_of(header), text_of(name), key);
    return key;
}

static bool has_file(const char *header, const char *name)
{
    return media_root_has("test-pull", key_of(header, name));
}

/* A submission with these files, each with its name in it; its header. */
static const char *submit(const char *const *names, size_t count)
{
    const char *header = lms_header("test-pull", NULL);
    struct http_part *parts =
        arena_zalloc(scratch, (count + 2) * sizeof *parts);

    parts[0] = (struct http_part){"xqueue_header", header, NULL};
    parts[1] = (struct http_part){"xqueue_body", "body", NULL};
    for (size_t i = 0; i < count; i++)
        parts[i + 2] = (struct http_part){names[i], names[i], names[i]};
    expect_status(http_post_multipart(client, "/xqueue/submit/",
                                      (struct http_form){parts, count + 2}),
                  200, NULL);
    for (size_t i = 0; i < count; i++)
        ck_assert(has_file(header, names[i]));
    return header;
}

static const char *submit_three(void)
{
    return submit((const char *const[]){"a.py", "b.py", "m\xc3\xa4rchen"}, 3);
}

static size_t count_of_three(const char *header)
{
    return (size_t)has_file(header, "a.py") + has_file(header, "b.py") +
           has_file(header, "m\xc3\xa4rchen");
}

static void make_old(const char *header)
{
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL 8 DAY WHERE xqueue_header = '%s'",
                header);
}

static const char *rows(void)
{
    return mariadb_value("SELECT COUNT(*) FROM queue_submission");
}

/* A row as the Django server writes it, eight days old. */
static void add_django_row(const char *header, const char *keys)
{
    mariadb_run("INSERT INTO queue_submission (requester_id, lms_callback_url,"
                " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
                " arrival_time, grader_id, pullkey, grader_reply, num_failures,"
                " lms_ack, retired) VALUES ('', 'http://lms/%s', 'test-pull',"
                " '%s', '', '%s', '{}', NOW(6) - INTERVAL 8 DAY, '', '', '', 0,"
                " 1, 1)",
                header, header, keys);
}

START_TEST(files_go_with_the_old_submission)
{
    const char *old = submit_three();
    const char *young = submit_three();
    const char *output;

    make_old(old);
    output = RUN(0, "delete_old_submissions");
    expect_words(output, "deleted 1 submissions, up to id ");
    expect_words(output, "deleted 3 files of theirs\n");
    ck_assert_uint_eq(count_of_three(old), 0);
    ck_assert_uint_eq(count_of_three(young), 3);
    ck_assert_str_eq(rows(), "1");
    ck_assert_ptr_null(
        strstr(RUN(0, "delete_old_submissions"), "files of theirs"));
}
END_TEST

/* Their map is too long for its column. */
START_TEST(sixty_files_go_too)
{
    const char *names[60];
    const char *header;

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        names[i] = arena_printf(scratch, "exercise-%zu.py", i);
    header = submit(names, ARRAY_LENGTH(names));
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_files");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        media_root_set_age("test-pull", key_of(header, names[i]), 2 * HOUR);
    expect_words(RUN(0, "files", "--orphans"), "0 files with 0 bytes belong");
    make_old(header);
    expect_words(RUN(0, "delete_old_submissions"),
                 "deleted 60 files of theirs\n");
    ck_assert_uint_eq(media_root_count("test-pull"), 0);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_files");
}
END_TEST

START_TEST(files_named_in_a_file_by_a_django_server_go_with_it)
{
    const char *map = "{\"files\": {\"a\": \"http://x/\"}, \"keys\": {"
                      "\"a\": \"00000000000000000000000000000001\","
                      "\"b\": \"00000000000000000000000000000002\"}}";

    add_django_row("h1", "{\"KEY_FOR_EXTERNAL_DICTS\": \"" SOME_KEY "\"}");
    add_django_row("h2", "{\"c\": \"00000000000000000000000000000003\", \"d\":"
                         " \"00000000000000000000000000000004\"}");
    add_django_row("h3", "{\"c\": \"../../etc/passwd\", \"d\": 1, \"e\"");
    media_root_add("test-pull", SOME_KEY, text_of(map), 2 * HOUR);
    for (size_t i = 1; i <= 5; i++)
        media_root_add("test-pull", arena_printf(scratch, "%032zu", i),
                       text_of("x"), 2 * HOUR);
    expect_words(RUN(0, "files", "--orphans", "--verbose"),
                 "test-pull/00000000000000000000000000000005 1 ");
    expect_words(RUN(0, "files", "--orphans"), "1 files with 1 bytes belong");
    expect_words(RUN(0, "delete_old_submissions"),
                 "deleted 5 files of theirs\n");
    ck_assert_str_eq(rows(), "0");
    ck_assert_uint_eq(media_root_count("test-pull"), 1);
}
END_TEST

/* An LMS that did not hear the answer sends all of it once more. */
START_TEST(files_stay_while_a_younger_submission_has_them)
{
    const char *header = submit_three();

    make_old(header);
    mariadb_run("INSERT INTO queue_submission (requester_id, lms_callback_url,"
                " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
                " arrival_time, grader_id, pullkey, grader_reply, num_failures,"
                " lms_ack, retired) SELECT requester_id, lms_callback_url,"
                " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
                " NOW(6), grader_id, pullkey, grader_reply, num_failures,"
                " lms_ack, 1 FROM queue_submission");
    RUN(0, "delete_old_submissions");
    ck_assert_str_eq(rows(), "1");
    ck_assert_uint_eq(count_of_three(header), 3);
    make_old(header);
    RUN(0, "delete_old_submissions");
    ck_assert_str_eq(rows(), "0");
    ck_assert_uint_eq(count_of_three(header), 0);
}
END_TEST

/* So many with a file each, all old. */
static void add_old(size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        const char *key = arena_printf(scratch, "%032zx", i);

        add_django_row(arena_printf(scratch, "header %zu", i),
                       arena_printf(scratch, "{\"a\": \"%s\"}", key));
        media_root_add("test-pull", key, text_of("x"), 2 * HOUR);
    }
}

START_TEST(a_run_that_was_killed_is_finished_by_the_next)
{
    const char *const words[] = {BINARY_DIR "/xqueue",
                                 "delete_old_submissions",
                                 "--chunk_size",
                                 "20",
                                 "--sleep_between",
                                 "0.02",
                                 NULL};
    const char *const environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(service)), NULL};
    struct program *program;
    size_t position = 0;

    add_old(300);
    program = program_start(words, environment);
    (void)program_wait_for_line(program, scratch, "deleted 20 submissions",
                                &position, 60000);
    program_signal(program, SIGKILL);
    ck_assert_int_eq(program_wait_for_exit(program, 60000), 128 + SIGKILL);
    program_free(program);
    ck_assert_uint_gt(media_root_count("test-pull"), 0);
    /* No file without its submission. */
    expect_words(RUN(0, "files", "--orphans"), "0 files with 0 bytes belong");
    RUN(0, "delete_old_submissions");
    ck_assert_str_eq(rows(), "0");
    ck_assert_uint_eq(media_root_count("test-pull"), 0);
}
END_TEST

START_TEST(submissions_stay_while_their_files_cannot_go)
{
    const char *header = submit_three();
    const char *output;

    make_old(header);
    output =
        RUN(1, "delete_old_submissions", "--set", "MEDIA_ROOT=/dev/null/media");
    expect_words(output, "the storage of files cannot be used");
    expect_words(output, "--keep_files");
    ck_assert_str_eq(rows(), "1");
    RUN(0, "delete_old_submissions", "--keep_files", "--set",
        "MEDIA_ROOT=/dev/null/media");
    ck_assert_str_eq(rows(), "0");
    ck_assert_uint_eq(count_of_three(header), 3);
}
END_TEST

START_TEST(without_files_no_storage_is_needed)
{
    submit(NULL, 0);
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL 8 DAY");
    RUN(0, "delete_old_submissions", "--set", "MEDIA_ROOT=/dev/null/media");
    ck_assert_str_eq(rows(), "0");
}
END_TEST

/* Two orphans, one of them of a queue that nobody has any more. */
static const char *add_orphans(void)
{
    const char *header = submit_three();

    media_root_set_age("test-pull", key_of(header, "a.py"), 2 * HOUR);
    media_root_set_age("test-pull", key_of(header, "b.py"), 90000 * HOUR);
    media_root_add("test-pull", SOME_KEY, text_of("12345"), 2 * HOUR);
    media_root_add("gone for good", key_of(header, "a.py"), text_of("123"),
                   2 * HOUR);
    media_root_add("test-pull", "00000000000000000000000000000001",
                   text_of("young"), HOUR - 60);
    return header;
}

START_TEST(orphans_are_counted_and_stay)
{
    const char *header = add_orphans();
    const char *output = RUN(0, "files", "--orphans");

    ck_assert_str_eq(output, "2 files with 8 bytes belong to no submission\n");
    output = RUN(0, "files", "--orphans", "--verbose");
    expect_words(output, "test-pull/" SOME_KEY " 5 ");
    expect_words(output, arena_printf(scratch, "gone%%20for%%20good/%s 3 ",
                                      key_of(header, "a.py")));
    expect_words(output, "2 files with 8 bytes belong to no submission\n");
    ck_assert_uint_eq(media_root_count("test-pull"), 5);
    ck_assert_uint_eq(media_root_count("gone for good"), 1);
}
END_TEST

START_TEST(orphans_are_deleted_and_nothing_else)
{
    const char *header = add_orphans();
    const char *output = RUN(0, "files", "--orphans", "--delete");

    ck_assert_str_eq(output, "2 files with 8 bytes belong to no submission\n"
                             "2 of them are deleted\n");
    ck_assert_uint_eq(count_of_three(header), 3);
    ck_assert(media_root_has("test-pull", "00000000000000000000000000000001"));
    ck_assert_uint_eq(media_root_count("test-pull"), 4);
    ck_assert_uint_eq(media_root_count("gone for good"), 0);
    ck_assert_str_eq(RUN(0, "files", "--orphans", "--delete"),
                     "0 files with 0 bytes belong to no submission\n"
                     "0 of them are deleted\n");
}
END_TEST

START_TEST(orphans_come_as_json)
{
    const struct json_value *whole;
    const char *output;

    ck_assert_str_eq(RUN(0, "files", "--orphans", "--json", "--verbose"),
                     "{\"orphans\": [], \"files\": 0, \"bytes\": 0,"
                     " \"deleted\": 0}\n");
    add_orphans();
    output = RUN(0, "files", "--orphans", "--json", "--verbose");
    ck_assert(json_parse_object(scratch, text_of(output), &whole));
    ck_assert_int_eq(json_kind(json_get(whole, "orphans")), JSON_ARRAY);
    expect_words(output, "{\"queue\": \"gone for good\", \"key\": \"");
    expect_words(output, "], \"files\": 2, \"bytes\": 8, \"deleted\": 0}\n");
    ck_assert_str_eq(RUN(0, "files", "--orphans", "--json", "--delete"),
                     "{\"files\": 2, \"bytes\": 8, \"deleted\": 2}\n");
}
END_TEST

START_TEST(files_of_many_submissions_are_known)
{
    add_old(3000);
    mariadb_run("UPDATE queue_submission SET id = id + 1000000"
                " WHERE id > 1500");
    expect_words(RUN(0, "files", "--orphans"), "0 files with 0 bytes belong");
    mariadb_run("DELETE FROM queue_submission ORDER BY id DESC LIMIT 2");
    expect_words(RUN(0, "files", "--orphans", "--delete"),
                 "2 files with 2 bytes belong to no submission\n"
                 "2 of them are deleted\n");
    ck_assert_uint_eq(media_root_count("test-pull"), 2998);
}
END_TEST

START_TEST(a_wrong_use_of_files_says_so)
{
    expect_words(RUN(2, "files"), "xqueue: files needs --orphans");
    expect_words(RUN(2, "files", "--delete"), "needs --orphans");
    expect_words(
        RUN(1, "files", "--orphans", "--set", "MEDIA_ROOT=/dev/null/media"),
        "the storage of files cannot be used");
}
END_TEST

START_TEST(check_stores_a_file_and_deletes_it)
{
    mariadb_run("SET GLOBAL innodb_flush_log_at_trx_commit = 1,"
                " max_allowed_packet = 67108864");
    expect_words(RUN(0, "check"), "ok    files\n");
    ck_assert_uint_eq(media_root_count("test-pull"), 0);
    expect_words(RUN(1, "check", "--set", "MEDIA_ROOT=/dev/null/media"),
                 "WRONG files: see MEDIA_ROOT\n");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(files_go_with_the_old_submission),
        TELL(sixty_files_go_too),
        TELL(files_named_in_a_file_by_a_django_server_go_with_it),
        TELL(files_stay_while_a_younger_submission_has_them),
        TELL(a_run_that_was_killed_is_finished_by_the_next),
        TELL(submissions_stay_while_their_files_cannot_go),
        TELL(without_files_no_storage_is_needed),
        TELL(orphans_are_counted_and_stay),
        TELL(orphans_are_deleted_and_nothing_else),
        TELL(orphans_come_as_json),
        TELL(files_of_many_submissions_are_known),
        TELL(a_wrong_use_of_files_says_so),
        TELL(check_stores_a_file_and_deletes_it),
    };
    static const struct story story = {
        .name = "commands for files",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = own_service_end,
        .timeout_s = 120,
    };

    return story_run(&story);
}

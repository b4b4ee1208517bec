/*
 * Submissions with files: R14, R15, R43, R56, B167, B178, B180.
 */
#include "server/base/json.h"
#include "tests/support/media_root.h"
#include "tests/support/program.h"
#include "tests/support/push_story.h"
#include "tests/support/upload.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct service_settings settings = {
    .queues = "{files: null, python: null, many: null, names: null,"
              " same: null, again: null, columns: null, nobody: null,"
              " header: null}",
    .more = "UPLOAD_MAX_FILES: 200\n",
};

static struct upload upload(const char *name, const char *content)
{
    return (struct upload){name, text_of(content)};
}

static const char *columns(const char *queue)
{
    return mariadb_value("SELECT CONCAT_WS('|', s3_keys, s3_urls)"
                         " FROM queue_submission WHERE queue_name = '%s'"
                         " ORDER BY id DESC LIMIT 1",
                         queue);
}

START_TEST(a_grader_gets_every_byte)
{
    const struct upload uploads[] = {
        upload("a.py", "print(1)\n"),
        {"b.bin",
         {"\0\r\n--\xFF\xFE"
          "x\0",
          9}},
        upload("empty", ""),
    };

    log_in(client);
    expect_reply(lms_upload(lms_header("files", NULL), "b", uploads, 3), 0,
                 "\"1\"");
    expect_files(grader_pull("files").files, uploads, 3);
}
END_TEST

static void write_file(const char *path, struct text content)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fwrite(content.data, 1, content.size, file);
    fclose(file);
}

/* In the folder that goes with the server. */
START_TEST(an_lms_with_python_requests_hands_in_files)
{
    const char *folder = service_media_root(service);
    const struct upload uploads[] = {
        upload("main.py", "x = 1\n"),
        upload("two words \xC3\xA9\xF0\x9F\x98\x80.txt", "\r\n\r\n"),
        {"data", {"\0\1\2\r\n", 5}},
    };
    const char *words[9] = {"/usr/bin/python3",
                            SOURCE_DIR "/tests/tools/upload.py"};
    struct program *program;

    words[2] = arena_printf(scratch, "http://127.0.0.1:%u",
                            (unsigned)service_port(service));
    words[3] = lms_header("python", NULL);
    for (size_t i = 0; i < 3; i++) {
        words[4 + i] = arena_printf(scratch, "%s/%s", folder, uploads[i].name);
        write_file(words[4 + i], uploads[i].content);
    }
    program = program_start(words, NULL);
    ck_assert_msg(program_wait_for_exit(program, 60000) == 0, "%.*s",
                  TEXT_ARGUMENTS(program_output(program, scratch)));
    expect_text(program_output(program, scratch),
                "{'return_code': 0, 'content': '1'}\n");
    program_free(program);
    log_in(client);
    expect_files(grader_pull("python").files, uploads, 3);
}
END_TEST

START_TEST(two_hundred_files_come_back_whole)
{
    const struct upload *uploads = many_uploads(200);

    log_in(client);
    expect_reply(lms_upload(lms_header("many", NULL), "b", uploads, 200), 0,
                 "\"1\"");
    expect_files(grader_pull("many").files, uploads, 200);
}
END_TEST

START_TEST(two_hundred_files_are_pushed_whole)
{
    const struct upload *uploads = many_uploads(200);
    struct sink *lms = sink_start(0);
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});
    const struct json_value *request;

    log_in(client);
    push_queues("{pushed: '%s', files: null, python: null}",
                peer_url(grader, "/"));
    expect_reply(
        lms_upload(lms_header("pushed", sink_url(lms, "/")), "b", uploads, 200),
        0, "\"1\"");
    ck_assert(peer_wait(grader, 1, 20000));
    ck_assert(
        json_parse_object(scratch, peer_request(grader, 0)->body, &request));
    expect_text(json_text(json_get(request, "xqueue_body")), "b");
    expect_files(json_text(json_get(request, "xqueue_files")), uploads, 200);
    push_expect_result(lms, "pushed", "right");
    peer_stop(grader);
    sink_stop(lms);
    service_set_queues(service, settings.queues);
    service_signal(service, SIGHUP, " reload queues=");
}
END_TEST

/* MD5 of "header" and the name, by another program. */
START_TEST(rows_and_folders_are_as_django_makes_them)
{
    const struct upload uploads[] = {upload("b", "B"), upload("a", "A")};
    const char *header = "{\"lms_callback_url\": \"http://127.0.0.1:1/x\","
                         " \"lms_key\": \"k\", \"queue_name\": \"columns\"}";
    const char *key_a = "2a635ef3494186556bdf03b157306c99";
    const char *key_b = "0a8be0016e64b630df3b004c8e505d4d";

    log_in(client);
    expect_reply(lms_upload(header, "b", uploads, 2), 0, "\"1\"");
    expect_text(text_of(columns("columns")),
                arena_printf(scratch, "{\"b\": \"%s\", \"a\": \"%s\"}|%s",
                             key_b, key_a,
                             mariadb_value("SELECT s3_urls FROM"
                                           " queue_submission WHERE"
                                           " queue_name = 'columns'")));
    ck_assert_ptr_nonnull(
        strstr(columns("columns"),
               arena_printf(scratch,
                            "|{\"b\": \"http://127.0.0.1:%u/media/columns/%s?",
                            (unsigned)service_port(service), key_b)));
    ck_assert(media_root_has("columns", key_a));
    ck_assert(media_root_has("columns", key_b));
    ck_assert_uint_eq(media_root_count("columns"), 2);
}
END_TEST

/* A Django server that takes over would ask in vain, and not go without. */
START_TEST(long_maps_leave_the_columns_as_django_does)
{
    const struct upload *uploads = many_uploads(40);

    log_in(client);
    expect_status(lms_upload(lms_header("columns", NULL), "b", uploads, 40),
                  200, NULL);
    ck_assert_str_eq(columns("columns"),
                     "{\"KEY_FOR_EXTERNAL_DICTS\": \"xqueue_files\"}|"
                     "{\"URL_FOR_EXTERNAL_DICTS\":"
                     " \"http://xqueue.invalid/\"}");
}
END_TEST

START_TEST(a_name_may_be_anything)
{
    const struct upload uploads[] = {
        upload("m\xC3\xA4rchen \xF0\x9F\x98\x80.py", "1"),
        upload("../../etc/passwd", "2"),
        upload("C:\\Users\\x", "3"),
        upload(".", "4"),
        upload("5", "5"),
        upload("KEY_FOR_EXTERNAL_DICTS", "{\"keys\": {}}"),
        upload("URL_FOR_EXTERNAL_DICTS", "7"),
    };

    log_in(client);
    expect_reply(lms_upload(lms_header("names", NULL), "b", uploads, 7), 0,
                 "\"1\"");
    expect_files(grader_pull("names").files, uploads, 7);
    expect_reply(lms_upload(lms_header("names", NULL), "b", uploads + 5, 1), 0,
                 "\"1\"");
    expect_files(grader_pull("names").files, uploads + 5, 1);
}
END_TEST

START_TEST(of_one_name_the_last_file_counts)
{
    const struct upload uploads[] = {upload("a", "first"), upload("b", "b"),
                                     upload("a", "second")};

    log_in(client);
    expect_reply(lms_upload(lms_header("same", NULL), "b", uploads, 3), 0,
                 "\"1\"");
    expect_files(grader_pull("same").files, uploads + 1, 2);
    ck_assert_uint_eq(media_root_count("same"), 2);
}
END_TEST

START_TEST(a_file_is_no_field)
{
    const struct upload uploads[] = {upload("xqueue_body", "of a file"),
                                     upload("xqueue_header", "{}")};
    struct pulled pulled;

    log_in(client);
    expect_reply(
        lms_upload(lms_header("header", NULL), "of the field", uploads, 2), 0,
        "\"1\"");
    pulled = grader_pull("header");
    expect_text(pulled.body, "of the field");
    expect_files(pulled.files, uploads, 2);
}
END_TEST

/* A resubmission with another header has files of its own. */
START_TEST(the_files_of_a_new_try_are_others)
{
    const struct upload first[] = {upload("a", "first")};
    const struct upload second[] = {upload("a", "second")};
    struct pulled pulled;

    log_in(client);
    expect_status(lms_upload("{\"lms_callback_url\": \"http://h:1/again\","
                             " \"lms_key\": \"1\", \"queue_name\": \"again\"}",
                             "b", first, 1),
                  200, NULL);
    pulled = grader_pull("again");
    expect_status(lms_upload("{\"lms_callback_url\": \"http://h:1/again\","
                             " \"lms_key\": \"2\", \"queue_name\": \"again\"}",
                             "b", second, 1),
                  200, NULL);
    expect_files(pulled.files, first, 1);
    expect_files(grader_pull("again").files, second, 1);
}
END_TEST

START_TEST(nothing_of_somebody_unknown_is_kept)
{
    const struct upload uploads[] = {upload("a", "A")};
    const struct reply *reply =
        lms_upload(lms_header("nobody", NULL), "b", uploads, 1);

    ck_assert_int_eq(reply->status, 302);
    ck_assert_uint_eq(media_root_count("nobody"), 0);
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission"
                         " WHERE queue_name = 'nobody'");
}
END_TEST

SERVICE_STORY("files", &settings, TELL(a_grader_gets_every_byte),
              TELL(an_lms_with_python_requests_hands_in_files),
              TELL(two_hundred_files_come_back_whole),
              TELL(two_hundred_files_are_pushed_whole),
              TELL(rows_and_folders_are_as_django_makes_them),
              TELL(long_maps_leave_the_columns_as_django_does),
              TELL(a_name_may_be_anything),
              TELL(of_one_name_the_last_file_counts), TELL(a_file_is_no_field),
              TELL(the_files_of_a_new_try_are_others),
              TELL(nothing_of_somebody_unknown_is_kept))

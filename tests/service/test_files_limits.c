/*
 * Files that are not taken, and what is left of them: nothing. B176, B186,
 * B188.
 */
#include "server/base/buffer.h"
#include "tests/support/media_root.h"
#include "tests/support/service_story.h"
#include "tests/support/upload.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct service_settings settings = {
    .queues = "{many: null, large: null, parts: null, broken: null,"
              " names: null, refused: null, twice: null}",
    .more = "UPLOAD_MAX_FILES: 3\nUPLOAD_MAX_BYTES: 10\n",
};

#define REFUSE                                                                 \
    "CREATE TRIGGER refuse BEFORE INSERT ON xqueue_live FOR EACH ROW"          \
    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'"

static const struct upload ten_bytes[] = {
    {"a", {"12345", 5}},
    {"b", {"67890", 5}},
    {"c", {"", 0}},
    {"d", {"", 0}},
};

static void expect_nothing_of(const char *queue)
{
    ck_assert_uint_eq(media_root_count(queue), 0);
    ck_assert_value("0",
                    "SELECT COUNT(*) FROM queue_submission"
                    " WHERE queue_name = '%s'",
                    queue);
}

#define PART "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"

/* One file, whose field has this parameter for its name. */
static const struct reply *upload_named(const char *parameter)
{
    struct buffer form = {NULL, 0, 0};
    const struct reply *reply;

    buffer_printf(&form, PART, "xqueue_header", lms_header("names", NULL));
    buffer_printf(&form, PART, "xqueue_body", "b");
    buffer_printf(&form,
                  "--b\r\nContent-Disposition: form-data; %s;"
                  " filename=\"f\"\r\n\r\nx\r\n--b--\r\n",
                  parameter);
    reply = http_send(client, &(struct http_message){
                                  .method = "POST",
                                  .path = "/xqueue/submit/",
                                  .fields = "Content-Type: multipart/form-data;"
                                            " boundary=b\r\n",
                                  .body = buffer_text(&form),
                              });
    buffer_free(&form);
    return reply;
}

START_TEST(more_files_than_allowed_are_refused_in_words)
{
    log_in(client);
    expect_reply(lms_upload(lms_header("many", NULL), "b", ten_bytes, 4), 1,
                 "\"Submission has more than 3 files\"");
    expect_nothing_of("many");
    expect_reply(lms_upload(lms_header("many", NULL), "b", ten_bytes, 3), 0,
                 "\"1\"");
    ck_assert_uint_eq(media_root_count("many"), 3);
}
END_TEST

START_TEST(larger_files_than_allowed_are_refused_in_words)
{
    const struct upload uploads[] = {ten_bytes[0], {"b", {"678901", 6}}};

    log_in(client);
    expect_reply(lms_upload(lms_header("large", NULL), "b", uploads, 2), 1,
                 "\"Submission has files of more than 10 bytes\"");
    expect_nothing_of("large");
}
END_TEST

/* As it can only come percent-encoded, or raw. */
START_TEST(a_name_with_control_characters_is_refused_in_words)
{
    static const char *const names[] = {
        "name*=utf-8''a%00b", "name*=utf-8''%00",   "name*=utf-8''a%0Ab",
        "name*=utf-8''a%1Fb", "name*=utf-8''a%7Fb", "name=\"a\tb\"",
        "name=\"a\x1b[2Jb\"",
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        expect_reply(upload_named(names[i]), 1,
                     "\"The name of a file has control characters\"");
    expect_nothing_of("names");
    expect_reply(upload_named("name*=utf-8''a%C2%A0b%20%C3%A9"), 0, "\"1\"");
}
END_TEST

START_TEST(a_thousand_and_one_files_are_no_form)
{
    log_in(client);
    expect_status(
        lms_upload(lms_header("parts", NULL), "b", many_uploads(1001), 1001),
        400, NULL);
    expect_nothing_of("parts");
}
END_TEST

/* A file in the place of the folder. */
static void break_storage(void)
{
    const char *root = service_media_root(service);
    FILE *file;

    ck_assert_int_eq(rename(root, arena_printf(scratch, "%s.away", root)), 0);
    file = fopen(root, "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
}

static void mend_storage(void)
{
    const char *root = service_media_root(service);

    ck_assert_int_eq(unlink(root), 0);
    ck_assert_int_eq(rename(arena_printf(scratch, "%s.away", root), root), 0);
}

START_TEST(without_a_storage_nothing_is_acknowledged)
{
    const struct reply *reply;

    log_in(client);
    break_storage();
    reply = lms_upload(lms_header("broken", NULL), "b", ten_bytes, 1);
    mend_storage();
    ck_assert_int_eq(reply->status, 503);
    expect_field(reply, "Retry-After", "2");
    expect_nothing_of("broken");
    expect_reply(lms_submit(lms_header("broken", NULL), "b"), 0, "\"1\"");
    expect_reply(lms_upload(lms_header("broken", NULL), "b", ten_bytes, 1), 0,
                 "\"2\"");
}
END_TEST

START_TEST(the_files_of_a_submission_that_is_refused_go)
{
    log_in(client);
    mariadb_run(REFUSE);
    expect_status(lms_upload(lms_header("refused", NULL), "b", ten_bytes, 3),
                  503, NULL);
    mariadb_run("DROP TRIGGER refuse");
    expect_nothing_of("refused");
}
END_TEST

/* An LMS whose answer was lost sends the same again. */
START_TEST(those_of_an_earlier_one_like_it_stay)
{
    const char *header = lms_header("twice", "http://127.0.0.1:1/twice");

    log_in(client);
    expect_reply(lms_upload(header, "b", ten_bytes, 1), 0, "\"1\"");
    mariadb_run(REFUSE);
    expect_status(lms_upload(header, "b", ten_bytes, 1), 503, NULL);
    expect_status(lms_upload(header, "b", ten_bytes, 2), 503, NULL);
    mariadb_run("DROP TRIGGER refuse");
    expect_files(grader_pull("twice").files, ten_bytes, 1);
    ck_assert_uint_eq(media_root_count("twice"), 1);
}
END_TEST

SERVICE_STORY("limits of files", &settings,
              TELL(more_files_than_allowed_are_refused_in_words),
              TELL(larger_files_than_allowed_are_refused_in_words),
              TELL(a_name_with_control_characters_is_refused_in_words),
              TELL(a_thousand_and_one_files_are_no_form),
              TELL(without_a_storage_nothing_is_acknowledged),
              TELL(the_files_of_a_submission_that_is_refused_go),
              TELL(those_of_an_earlier_one_like_it_stay))

/*
 * What a grader gets is what the LMS sent, byte for byte: R8, R9, R10, R15,
 * and the sizes that are allowed.
 */
#include "server/base/buffer.h"
#include "tests/support/service_story.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

enum { MEGABYTE = 1024 * 1024 };

static const struct service_settings settings = {
    .owns_database = true,
    .more = "SUBMISSION_MAX_BYTES: 20 MB\n"
            "SUBMISSION_PROCESSING_DELAY: 60",
};

static void expect_same(struct text found, struct text expected)
{
    size_t i = 0;

    while (i < found.size && i < expected.size &&
           found.data[i] == expected.data[i])
        i++;
    ck_assert_msg(i == found.size && i == expected.size,
                  "%zu bytes became %zu; they differ at byte %zu",
                  expected.size, found.size, i);
}

/*
 * A text of that many bytes with all kinds of characters, not in a pattern,
 * most of them plain.
 */
static char *long_text(size_t size)
{
    static const char *const odd[] = {"\n",
                                      "é",
                                      "\t\\\"",
                                      "\xF0\x9F\x90\x8D",
                                      "{\"a\": [1, 2]}",
                                      "&=+%25 ",
                                      "\r\n",
                                      "\xE2\x80\xA8",
                                      "</script>",
                                      "'"};
    char *text = arena_alloc(scratch, size + 1);
    unsigned random = 1;
    size_t end = 0;

    memset(text, 'x', size);
    text[size] = '\0';
    for (;;) {
        const char *piece;

        random = random * 1103515245 + 12345;
        piece = odd[(random >> 16) % ARRAY_LENGTH(odd)];
        end += (random >> 8) % 256;
        if (end + strlen(piece) > size)
            return text;
        memcpy(text + end, piece, strlen(piece));
        end += strlen(piece);
    }
}

START_TEST(a_body_arrives_as_it_was_sent)
{
    const char *const bodies[] = {
        "",
        " ",
        "plain",
        "{\"student_info\": \"{}\", \"grader_payload\": \"\"}",
        "not {json",
        "a\nb\rc\r\nd\n",
        "\n",
        "\t leading and trailing \t",
        "a+b&c=d%20e%%41;f",
        "'single' \"double\" `back` \\ \\\\ \\n \\u0041 /",
        "\x01\x02\x1b[31m\x7f",
        "äöü ß Ελληνικά עברית 日本語 हिन्दी",
        "e\xCC\x81 \xE2\x80\xA8 \xE2\x80\xA9 \xEF\xBB\xBF \xEF\xBF\xBF",
        "\xF0\x9F\x90\x8D\xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF",
        "<script>alert(1)</script>' OR 1=1; DROP TABLE x; --",
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        expect_status(lms_submit(lms_header("test-pull", NULL), bodies[i]), 200,
                      NULL);
        expect_same(grader_pull("test-pull").body, text_of(bodies[i]));
    }
}
END_TEST

START_TEST(a_body_of_a_multipart_form_too)
{
    const char *body = "é\r\n--a-boundary\r\n\r\n\xF0\x9F\x90\x8D\n";

    log_in(client);
    expect_status(
        http_post_multipart(
            client, "/xqueue/submit/",
            HTTP_FORM({"xqueue_header", lms_header("test-pull", NULL), NULL},
                      {"xqueue_body", body, NULL})),
        200, NULL);
    expect_same(grader_pull("test-pull").body, text_of(body));
}
END_TEST

static void submit_raw(const char *form)
{
    expect_status(
        http_send(
            client,
            &(struct http_message){
                .method = "POST",
                .path = "/xqueue/submit/",
                .fields = "Content-Type: application/x-www-form-urlencoded\r\n",
                .body = text_of(
                    arena_printf(scratch, "%s&xqueue_header=%s", form,
                                 encoded(lms_header("test-pull", NULL))))}),
        200, NULL);
}

START_TEST(a_nul_byte_does_not_end_a_body)
{
    log_in(client);
    submit_raw("xqueue_body=a%00b%00");
    expect_same(grader_pull("test-pull").body, (struct text){"a\0b\0", 4});
}
END_TEST

START_TEST(bytes_that_are_no_text_become_what_django_makes_of_them)
{
    log_in(client);
    submit_raw("xqueue_body=a%FFb%C3(%F0%9F%90");
    expect_text(grader_pull("test-pull").body, "a\xEF\xBF\xBD"
                                               "b\xEF\xBF\xBD(\xEF\xBF\xBD");
}
END_TEST

START_TEST(a_header_is_stored_as_it_was_sent)
{
    const char *const headers[] = {
        "{\"lms_callback_url\":\"http://h/1\",\"lms_key\":\"k\","
        "\"queue_name\":\"test-pull\"}",
        " {\n\t\"queue_name\" : \"test-pull\",\r\n \"lms_key\":\"\\u00e9\","
        " \"lms_callback_url\": \"http:\\/\\/h/2\" } ",
        "{\"lms_callback_url\": \"http://h//x+y:z@w/i4x://3?key=a&b=%20#f\","
        " \"lms_key\": null, \"queue_name\": \"test-pull\","
        " \"more\": [1e999, -0.0, NaN, 123456789012345678901234567890,"
        " {\"\\ud800\": \"\\u0000\"}], \"é\": \"\xF0\x9F\x90\x8D\"}",
        "{\"lms_callback_url\": \"http://first/\", \"lms_key\": \"\","
        " \"queue_name\": \"nothing\", \"queue_name\": \"test-pull\","
        " \"lms_callback_url\": \"http://h/4\"}",
        "{\"lms_callback_url\": \"/\", \"lms_key\": 5,"
        " \"queue_name\": \"test-pull\"}",
        "{\"lms_callback_url\": \"http://h/\\ud800\", \"lms_key\": \"k\","
        " \"queue_name\": \"test-pull\"}",
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++) {
        struct pulled pulled;

        expect_status(lms_submit(headers[i], "b"), 200, NULL);
        pulled = grader_pull("test-pull");
        ck_assert_value(headers[i],
                        "SELECT xqueue_header FROM queue_submission"
                        " WHERE id = %lld",
                        (long long)pulled.id);
    }
    ck_assert_value("http://h/4",
                    "SELECT lms_callback_url FROM queue_submission WHERE"
                    " xqueue_header LIKE '%%//first/%%'");
}
END_TEST

/* A header of that many bytes; the filler is of one character. */
static const char *padded_header(size_t size, const char *filler)
{
    struct buffer header = {NULL, 0, 0};
    const char *copy;

    buffer_append_string(&header, lms_header("test-pull", NULL));
    header.size--;
    buffer_append_string(&header, ", \"x\": \"");
    while (header.size + 2 + strlen(filler) <= size)
        buffer_append_string(&header, filler);
    while (header.size + 2 < size)
        buffer_append_string(&header, "x");
    buffer_append_string(&header, "\"}");
    copy = arena_strdup(scratch, header.data);
    buffer_free(&header);
    return copy;
}

START_TEST(a_header_may_have_sixteen_kilobytes)
{
    const char *const headers[] = {
        padded_header(1024, "x"),
        padded_header(1025, "x"),
        padded_header(4096, "\xF0\x9F\x90\x8D"),
        padded_header(16384, "é"),
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++) {
        expect_status(lms_submit(headers[i], "b"), 200, NULL);
        ck_assert_value(headers[i],
                        "SELECT xqueue_header FROM queue_submission"
                        " WHERE id = %lld",
                        (long long)grader_pull("test-pull").id);
    }
    expect_reply(lms_submit(padded_header(16385, "x"), "b"), 1,
                 "\"Queue request has invalid format\"");
}
END_TEST

START_TEST(brackets_without_end_are_invalid)
{
    char deep[10001];

    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    log_in(client);
    expect_reply(lms_submit(arena_printf(scratch,
                                         "{\"lms_callback_url\": \"u\","
                                         " \"lms_key\": \"k\", \"queue_name\":"
                                         " \"test-pull\", \"x\": %s",
                                         deep),
                            "b"),
                 1, "\"Queue request has invalid format\"");
}
END_TEST

START_TEST(a_long_callback_url_is_kept_whole_in_the_header)
{
    const char *url = arena_printf(scratch, "http://h/%0*d/é", 2000, 0);

    log_in(client);
    expect_status(lms_submit(lms_header("test-pull", url), "b"), 200, NULL);
    ck_assert_value("1",
                    "SELECT lms_callback_url = LEFT('%s', 128) AND"
                    " xqueue_header LIKE '%%é%%' FROM queue_submission"
                    " WHERE id = %lld",
                    url, (long long)grader_pull("test-pull").id);
}
END_TEST

START_TEST(a_megabyte_arrives_as_it_was_sent)
{
    const char *body = long_text(MEGABYTE);

    log_in(client);
    expect_status(lms_submit(lms_header("test-pull", NULL), body), 200, NULL);
    expect_same(grader_pull("test-pull").body, text_of(body));
}
END_TEST

/* A server whose database takes packets of that size, and its client. */
static struct service *start_with_packet(const char *bytes)
{
    struct service *second;

    mariadb_run("SET GLOBAL max_allowed_packet = %s", bytes);
    second =
        service_new(&(struct service_settings){.database = story_database()});
    service_serve(second);
    http_client_set_port(client, service_port(second));
    http_client_set_timeout_ms(client, 60000);
    log_in(client);
    return second;
}

START_TEST(twenty_megabytes_arrive_as_they_were_sent)
{
    struct service *second = start_with_packet("67108864");
    const char *body = long_text(20 * MEGABYTE);

    expect_reply(
        http_post_multipart(
            client, "/xqueue/submit/",
            HTTP_FORM({"xqueue_header", lms_header("test-pull", NULL), NULL},
                      {"xqueue_body", body, NULL})),
        0, "\"1\"");
    expect_same(grader_pull("test-pull").body, text_of(body));
    service_stop(second);
}
END_TEST

START_TEST(more_than_is_allowed_is_refused_in_words)
{
    const char *body = long_text(20 * MEGABYTE + 1);

    log_in(client);
    expect_reply(
        http_post_multipart(
            client, "/xqueue/submit/",
            HTTP_FORM({"xqueue_header", lms_header("test-pull", NULL), NULL},
                      {"xqueue_body", body, NULL})),
        1, "\"Submission is larger than 20971520 bytes\"");
    expect_reply(get_submission("test-pull"), 1,
                 "\"Queue 'test-pull' is empty\"");
}
END_TEST

/* Somebody forgot to raise max_allowed_packet. */
START_TEST(more_than_the_database_takes_is_refused_in_words)
{
    struct service *second = start_with_packet("1048576");

    expect_reply(
        lms_submit(lms_header("test-pull", NULL), long_text(2 * MEGABYTE)), 1,
        "\"Submission does not fit the database\"");
    expect_reply(lms_submit(lms_header("test-pull", NULL), "small"), 0,
                 "\"1\"");
    expect_text(grader_pull("test-pull").body, "small");
    service_stop(second);
}
END_TEST

START_TEST(a_reply_that_has_begun_is_sent_although_the_server_ends)
{
    struct service *second = start_with_packet("67108864");
    struct pulled pulled;

    expect_reply(lms_submit(lms_header("test-pull", NULL),
                            arena_printf(scratch, "%0*d", 15 * MEGABYTE, 7)),
                 0, "\"1\"");
    ck_assert(http_send_bytes(
        client,
        text_of(arena_printf(scratch,
                             "GET /xqueue/get_submission/?queue_name=test-pull"
                             " HTTP/1.1\r\nHost: x\r\nCookie: sessionid=%s"
                             "\r\n\r\n",
                             http_cookie(client, "sessionid")))));
    (void)service_wait_for_log(second, " get_submission ");
    service_signal(second, SIGTERM, "info stop ");
    poll(NULL, 0, 200);
    pulled = read_pulled(http_read_reply(client));
    ck_assert_uint_eq(pulled.body.size, 15 * MEGABYTE);
    service_stop(second);
}
END_TEST

/* An LMS that is redirected before it has sent all hears of a broken pipe. */
START_TEST(the_whole_body_is_read_before_the_redirect)
{
    const char *body = long_text(20 * MEGABYTE);
    const struct reply *reply = http_post_multipart(
        client, "/xqueue/submit/",
        HTTP_FORM({"xqueue_header", lms_header("test-pull", NULL), NULL},
                  {"xqueue_body", body, NULL}));

    expect_status(reply, 302, "");
    expect_reply(http_get(client, "/xqueue/login/"), 1, "\"login_required\"");
}
END_TEST

SERVICE_STORY("submit_bodies", &settings, TELL(a_body_arrives_as_it_was_sent),
              TELL(a_body_of_a_multipart_form_too),
              TELL(a_nul_byte_does_not_end_a_body),
              TELL(bytes_that_are_no_text_become_what_django_makes_of_them),
              TELL(a_header_is_stored_as_it_was_sent),
              TELL(a_header_may_have_sixteen_kilobytes),
              TELL(brackets_without_end_are_invalid),
              TELL(a_long_callback_url_is_kept_whole_in_the_header),
              TELL(a_megabyte_arrives_as_it_was_sent),
              TELL(twenty_megabytes_arrive_as_they_were_sent),
              TELL(more_than_is_allowed_is_refused_in_words),
              TELL(more_than_the_database_takes_is_refused_in_words),
              TELL(a_reply_that_has_begun_is_sent_although_the_server_ends),
              TELL(the_whole_body_is_read_before_the_redirect))

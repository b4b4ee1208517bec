/*
 * What is bounded: connections, the size of a request, the memory that all
 * requests share. Whoever is within the bounds is served, if later.
 */
#include "tests/support/service_story.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS = 16,
    MEGABYTE = 1024 * 1024,
    LARGE = 4 * MEGABYTE,
    UPLOADS = 8
};

static const struct service_settings settings = {
    .queues = "{test-pull: null, large: null}",
    .more = "MAX_CONNECTIONS: 16\nREQUEST_MAX_BYTES: 6 MB\n"
            "SUBMISSION_MAX_BYTES: 5 MB\nBODY_MEMORY: 8 MB\n",
};

START_TEST(who_comes_when_all_connections_are_taken_waits_and_is_served)
{
    struct http_client *clients[CONNECTIONS];
    struct http_client *late = http_client_new(service_port(service));

    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = http_client_new(service_port(service));
        expect_status(http_get(clients[i], "/xqueue/status/"), 200, NULL);
    }
    ck_assert(http_send_bytes(
        late, text_of("GET /xqueue/status/ HTTP/1.1\r\nHost: x\r\n\r\n")));
    http_client_set_timeout_ms(late, 300);
    ck_assert(!http_is_hung_up(late));
    http_client_set_timeout_ms(late, 10000);

    /* Those who are connected notice nothing. */
    expect_status(http_get(clients[3], "/xqueue/status/"), 200, NULL);
    http_client_free(clients[3]);
    expect_reply(http_read_reply(late), 0, "\"OK\"");
    for (int i = 0; i < CONNECTIONS; i++) {
        if (i != 3)
            http_client_free(clients[i]);
    }
    http_client_free(late);
}
END_TEST

START_TEST(many_more_than_may_be_connected_are_served_in_turn)
{
    enum { MANY = 100 };
    struct http_client *clients[MANY];

    for (int i = 0; i < MANY; i++) {
        clients[i] = http_client_new(service_port(service));
        ck_assert(http_send_bytes(
            clients[i], text_of("GET /xqueue/status/ HTTP/1.1\r\nHost: x\r\n"
                                "Connection: close\r\n\r\n")));
    }
    for (int i = 0; i < MANY; i++) {
        expect_reply(http_read_reply(clients[i]), 0, "\"OK\"");
        http_client_free(clients[i]);
    }
}
END_TEST

START_TEST(a_request_that_is_too_large_is_refused_before_it_is_sent)
{
    struct http_client *other = http_client_new(service_port(service));

    log_in(client);
    expect_status(
        http_send_raw(client, text_of("POST /xqueue/submit/ HTTP/1.1\r\n"
                                      "Host: x\r\n"
                                      "Content-Length: 6291457\r\n\r\n")),
        413, NULL);
    ck_assert(http_is_hung_up(client));
    expect_status(http_get(other, "/xqueue/status/"), 200, NULL);
    http_client_free(other);
}
END_TEST

static char *letters(size_t size)
{
    char *body = arena_alloc(scratch, size + 1);

    memset(body, 'x', size);
    body[size] = '\0';
    return body;
}

START_TEST(a_submission_that_is_too_large_is_refused_in_words)
{
    log_in(client);
    expect_reply(
        lms_submit(lms_header("test-pull", NULL), letters(5 * MEGABYTE + 1)), 1,
        "\"Submission is larger than 5242880 bytes\"");
    expect_status(
        lms_submit(lms_header("test-pull", NULL), letters(5 * MEGABYTE)), 200,
        NULL);
    ck_assert_uint_eq(grader_pull("test-pull").body.size, 5 * MEGABYTE);
}
END_TEST

struct upload {
    pthread_t thread;
    struct http_client *client;
    const char *header;
    const char *body;
    const struct reply *reply;
};

static void *send_upload(void *context)
{
    struct upload *upload = context;

    upload->reply =
        http_post_form(upload->client, "/xqueue/submit/",
                       HTTP_FORM({"xqueue_header", upload->header, NULL},
                                 {"xqueue_body", upload->body, NULL}));
    return NULL;
}

/* 8 times 4 MB at once, and 8 MB of memory. */
START_TEST(large_requests_share_the_memory_and_all_succeed)
{
    struct upload uploads[UPLOADS];

    log_in(client);
    for (int i = 0; i < UPLOADS; i++) {
        struct upload *upload = &uploads[i];

        upload->client = http_client_new(service_port(service));
        http_set_cookie(upload->client, "sessionid",
                        http_cookie(client, "sessionid"));
        upload->header = lms_header("large", NULL);
        upload->body = letters(LARGE);
    }
    for (int i = 0; i < UPLOADS; i++)
        ck_assert_int_eq(
            pthread_create(&uploads[i].thread, NULL, send_upload, &uploads[i]),
            0);
    /* Small ones are not held up meanwhile. */
    expect_status(http_get(client, "/xqueue/status/"), 200, NULL);
    expect_status(lms_submit(lms_header("large", NULL), "small"), 200, NULL);
    for (int i = 0; i < UPLOADS; i++)
        pthread_join(uploads[i].thread, NULL);
    for (int i = 0; i < UPLOADS; i++) {
        expect_status(uploads[i].reply, 200, NULL);
        http_client_free(uploads[i].client);
    }
    expect_reply(get_queuelen("large"), 0, "9");
    ck_assert_value("8 1",
                    "SELECT CONCAT(SUM(CHAR_LENGTH(xqueue_body) = 4194304),"
                    " ' ', SUM(CHAR_LENGTH(xqueue_body) = 5))"
                    " FROM queue_submission WHERE queue_name = 'large'");
}
END_TEST

SERVICE_STORY(
    "limits", &settings,
    TELL(who_comes_when_all_connections_are_taken_waits_and_is_served),
    TELL(many_more_than_may_be_connected_are_served_in_turn),
    TELL(a_request_that_is_too_large_is_refused_before_it_is_sent),
    TELL(a_submission_that_is_too_large_is_refused_in_words),
    TELL(large_requests_share_the_memory_and_all_succeed))

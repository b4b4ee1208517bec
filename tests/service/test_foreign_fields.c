/*
 * What clients send along although nobody here asks for it: R16. An LMS has
 * a password for the proxy in every request, a grader the token of a server
 * that checks tokens, a proxy the address that it was called by.
 */
#include "tests/support/service_story.h"

static const struct service_settings settings = {
    .queues = "{test-pull: null, other: null}",
};

static const char *const foreign[] = {
    "",
    "Authorization: Basic ZWR4OmVkeA==\r\n",
    "Authorization: Bearer nonsense\r\n",
    "Referer: http://elsewhere.example.org/form\r\n",
    "Origin: http://elsewhere.example.org\r\n",
    "Origin: null\r\n",
    "X-CSRFToken: of-another-server\r\n",
    "X-Requested-With: XMLHttpRequest\r\nSec-Fetch-Site: cross-site\r\n",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: queue.example.org\r\n",
    "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\n",
};

static const struct reply *post(const char *path, const char *fields,
                                const char *form)
{
    return http_send(
        client, &(struct http_message){
                    .method = "POST",
                    .path = path,
                    .fields = arena_printf(
                        scratch,
                        "Content-Type: application/x-www-form-urlencoded\r\n%s",
                        fields),
                    .body = text_of(form)});
}

static const struct reply *get(const char *path, const char *fields)
{
    return http_send(client, &(struct http_message){.method = "GET",
                                                    .path = path,
                                                    .fields = fields});
}

static const char *form_of(const char *header, const char *body)
{
    return arena_printf(scratch,
                        "xqueue_header=%s&xqueue_body=%s"
                        "&csrfmiddlewaretoken=of-another-server",
                        encoded(header), encoded(body));
}

START_TEST(a_login_takes_no_notice_of_them)
{
    for (size_t i = 0; i < ARRAY_LENGTH(foreign); i++) {
        http_clear_cookies(client);
        http_set_cookie(client, "csrftoken", "of-another-server");
        expect_reply(post("/xqueue/login/?next=/xqueue/submit/", foreign[i],
                          "username=lms&password=password"
                          "&csrfmiddlewaretoken=of-another-server"),
                     0, "\"Logged in\"");
        expect_reply(get_queuelen("other"), 0, "0");
    }
}
END_TEST

START_TEST(nor_does_a_submission_nor_a_pull_nor_a_result)
{
    log_in(client);
    http_set_cookie(client, "csrftoken", "of-another-server");
    for (size_t i = 0; i < ARRAY_LENGTH(foreign); i++) {
        struct pulled pulled;

        expect_reply(post("/xqueue/submit/?unknown=1", foreign[i],
                          form_of(lms_header("test-pull", NULL), "b")),
                     0, "\"1\"");
        expect_reply(
            get("/xqueue/get_queuelen/?queue_name=test-pull", foreign[i]), 0,
            "1");
        pulled = read_pulled(get("/xqueue/get_submission/?block=true"
                                 "&queue_name=test-pull",
                                 foreign[i]));
        expect_text(pulled.body, "b");
        expect_reply(post("/xqueue/put_result/?queue_name=other", foreign[i],
                          form_of(pulled.header, "right")),
                     0, "\"\"");
    }
}
END_TEST

/* The password for the proxy is no login here. */
START_TEST(they_open_no_door_either)
{
    for (size_t i = 0; i < ARRAY_LENGTH(foreign); i++)
        expect_status(
            get("/xqueue/get_submission/?queue_name=test-pull", foreign[i]),
            302, "");
    expect_status(get("/xqueue/get_submission/?queue_name=test-pull",
                      "Authorization: Basic bG1zOnBhc3N3b3Jk\r\n"),
                  302, "");
}
END_TEST

SERVICE_STORY("foreign fields", &settings,
              TELL(a_login_takes_no_notice_of_them),
              TELL(nor_does_a_submission_nor_a_pull_nor_a_result),
              TELL(they_open_no_door_either))

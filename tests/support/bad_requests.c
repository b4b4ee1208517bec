/*
 * Requests that the HTTP server refuses.
 */
#include "tests/support/bad_requests.h"

void bad_requests_begin(void)
{
    struct http_settings settings = http_child_settings();

    settings.max_body_bytes = 100000;
    http_story_begin_with(&settings);
}

void bad_requests_end(void)
{
    ck_assert_str_ne((const char *)child.report->last_path, "/smuggled");
    http_story_end();
}

void expect_bad(const struct bad *bad)
{
    struct buffer text = {0};
    int status;

    buffer_append(&text, bad->bytes, bad->size);
    buffer_append_string(&text, SMUGGLED);
    status = raw_ask(child.port, text.data, text.size, &reply);
    ck_assert_msg(status == bad->status, "%d, not %d, for: %.200s\n%s", status,
                  bad->status, text.data, reply.size > 0 ? reply.data : "");
    ck_assert_msg(raw_count(&reply, "HTTP/1.") == 1, "two replies for: %.200s",
                  text.data);
    ck_assert_uint_eq(raw_count(&reply, "\r\nConnection: close\r\n"), 1);
    ck_assert_uint_eq(raw_count(&reply, "\r\n\r\n{\"return_code\": 1, "
                                        "\"content\": \""),
                      1);
    ck_assert_msg(child.report->requests == 0, "handled: %.200s", text.data);
    buffer_free(&text);
}

void expect_bads(const struct bad *bads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_bad(&bads[i]);
}

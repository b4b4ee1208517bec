/*
 * Tests of the HTTP server as its clients see it.
 */
#include "tests/support/http_story.h"

struct http_child child;
struct buffer reply;

void http_story_begin(void)
{
    const struct http_settings settings = http_child_settings();

    http_story_begin_with(&settings);
}

void http_story_begin_with(const struct http_settings *settings)
{
    child = http_child_start(settings, 0);
}

void http_story_end(void)
{
    http_child_end(&child);
    buffer_free(&reply);
}

int ask(int client, const char *text)
{
    buffer_clear(&reply);
    ck_assert(raw_say(client, text));
    ck_assert(raw_read_reply(client, &reply, 5000));
    return raw_status(&reply);
}

bool has(const char *text)
{
    return raw_count(&reply, text) > 0;
}

bool is_closed(int client)
{
    struct buffer rest = {0};
    const enum raw_end end = raw_read_all(client, &rest, 2000);

    buffer_free(&rest);
    return end == RAW_CLOSED;
}

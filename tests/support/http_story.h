/*
 * Tests of the HTTP server as its clients see it: each has a server of its
 * own, and a place for what came back.
 */
#ifndef XQUEUE_TESTS_SUPPORT_HTTP_STORY_H
#define XQUEUE_TESTS_SUPPORT_HTTP_STORY_H

#include "tests/support/http_child.h"
#include "tests/support/raw_client.h"
#include "tests/support/story.h"

/* For the length of a test. */
extern struct http_child child;
extern struct buffer reply;

/* For before_each and after_each; with the settings for tests, or others. */
void http_story_begin(void);
void http_story_begin_with(const struct http_settings *settings);
void http_story_end(void);

/* Sends `text`, reads one reply; its status. */
int ask(int client, const char *text);

/* Is this in the reply? */
bool has(const char *text);

/* Waits for the server to close, and reads what it still sends. */
bool is_closed(int client);

#endif

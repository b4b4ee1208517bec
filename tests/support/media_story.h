/*
 * Stories about files as graders fetch them, from the MEDIA_ROOT of `service`
 * (service_story.h): links, files to fetch, and clients that take their time.
 */
#ifndef XQUEUE_TESTS_SUPPORT_MEDIA_STORY_H
#define XQUEUE_TESTS_SUPPORT_MEDIA_STORY_H

#include "tests/support/service.h"

#define MEDIA_KEY "0123456789abcdef0123456789abcdef"

enum {
    MEDIA_BIG = 20 * 1024 * 1024, /* bytes */
    MEDIA_ALL_MS = 60000          /* for one to arrive */
};

/* Of a service whose links these are. */
extern const struct service_settings media_settings;

/* The path and query of a link; it is good for so long, else for minutes. */
const char *media_link(const char *queue, const char *key);
const char *media_link_for(const char *queue, const char *key,
                           int64_t lifetime_s);

/* The file MEDIA_KEY of that queue holds "0123456789". */
void media_add_digits(const char *queue);

/* It holds these MEDIA_BIG bytes. Gives them; from malloc(). */
char *media_add_big(const char *queue);

/* A connection, for the caller to close, on which a link has been asked for. */
int media_ask(const char *link);

/* The head has come: its file is being sent. */
void media_wait_for_head(int asking);

#endif

/*
 * The MEDIA_ROOT of `service` (service_story.h), and what is in it. The names
 * of queues are those of their folders. Whatever fails here fails the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_MEDIA_ROOT_H
#define XQUEUE_TESTS_SUPPORT_MEDIA_ROOT_H

#include "server/base/text.h"

/* A file, stored so many seconds ago. */
void media_root_add(const char *queue, const char *key, struct text content,
                    int age_s);
void media_root_set_age(const char *queue, const char *key, int age_s);

bool media_root_has(const char *queue, const char *key);

/* The files of a queue, whatever they are called. */
size_t media_root_count(const char *queue);

#endif

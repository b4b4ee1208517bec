/*
 * Tests of a storage in S3: as those of a local one, see storage_story.h,
 * whose storage_story_end() ends these, too. Each test has a prefix of its
 * own in the bucket.
 */
#ifndef XQUEUE_TESTS_SUPPORT_S3_STORY_H
#define XQUEUE_TESTS_SUPPORT_S3_STORY_H

#include "tests/support/s3_server.h"
#include "tests/support/storage_story.h"

/* In a test's process, after its peers were started. */
void s3_story_begin(const char *endpoint);

/* Another storage in the place of the one that there is. */
void s3_story_use(const struct storage_settings *settings);

/* The right ones for s3_server.h, with this endpoint. */
struct storage_settings s3_story_settings(const char *endpoint);

/* There is no storage with them, and that is why. */
void s3_story_expect_error(const struct storage_settings *settings,
                           const char *error);

#endif

/*
 * Tests of the configuration: load a text that stands for the file "f".
 */
#ifndef XQUEUE_TESTS_SUPPORT_CONFIG_STORY_H
#define XQUEUE_TESTS_SUPPORT_CONFIG_STORY_H

#include "server/config/config.h"

/* The smallest text without a warning. */
#define QUEUE "XQUEUES: {q: null}\n"

/* What the last load gave; freed by the next one. */
extern struct config *config;
extern struct buffer messages;

void load_with(const char *source, const struct config_override *overrides,
               size_t count);

/* From tests/fixtures/config/. */
void load_fixture(const char *name);

/* It loads without any message, with these, or not at all. */
void load(const char *source);
void expect_warning(const char *source, const char *warnings);
void expect_refusal(const char *source, const char *errors);

/* Around each test. No variable of whoever runs the tests gets in. */
void config_story_begin(void);
void config_story_end(void);

#endif

/*
 * Tests of server/http/gate.c: one request that is acceptable, which they
 * spoil, and the verdict on it.
 */
#ifndef XQUEUE_TESTS_SUPPORT_GATE_STORY_H
#define XQUEUE_TESTS_SUPPORT_GATE_STORY_H

#include "server/http/gate.h"
#include "tests/support/story.h"

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

enum { MAX_FIELDS = 70 };

/* 64 fields, a target of 8192 bytes. */
extern const struct gate_limits limits;

/* A GET with the field Host; for the length of a test. */
extern struct gate_field fields[MAX_FIELDS];
extern struct gate_request request;

/* For before_each. */
void gate_story_begin(void);

void add_field(const char *name, const char *value);

/* The verdict on the request; 0: it passes. */
void expect_verdict(int status);

/* With one more field of that name and value. */
void expect_with(const char *name, const char *value, int status);

#endif

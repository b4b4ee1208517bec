/*
 * Memory that is freed all at once.
 *
 * Each task, CLI command and test has an arena: what is parsed, loaded or
 * formatted for it lives there, and arena_free() ends it all. An arena
 * belongs to one thread at a time; it travels with its task to a worker and
 * back.
 */
#ifndef XQUEUE_BASE_ARENA_H
#define XQUEUE_BASE_ARENA_H

#include "server/base/compiler.h"
#include "server/base/text.h"

struct arena;

struct arena *arena_new(void);

/* Runs the deferred functions, newest first, then frees. NULL is legal. */
void arena_free(struct arena *arena);

/* Aligned for any type, not cleared. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same, cleared. */
void *arena_zalloc(struct arena *arena, size_t size);

/* Copies, NUL-terminated. An absent text stays absent, NULL stays NULL. */
struct text arena_copy(struct arena *arena, struct text text);
char *arena_strdup(struct arena *arena, const char *string);

/* A C string of the text's bytes. Beware of NUL bytes inside. */
char *arena_string(struct arena *arena, struct text text);

char *arena_printf(struct arena *arena, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Call `release(object)` when the arena is freed. */
void arena_defer(struct arena *arena, void (*release)(void *object),
                 void *object);

#endif

/*
 * Memory that is freed all at once: a chain of blocks, bumped through. A
 * piece too large for the usual block gets a block of its own.
 */
#include "server/base/arena.h"

#include "server/base/memory.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 4096 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *object);
    void *object;
};

struct arena {
    struct block *blocks; /* the first one is being filled */
    struct deferred *deferred;
};

static struct block *block_new(struct arena *arena, size_t size);
static size_t aligned(size_t size);

struct arena *arena_new(void)
{
    return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    struct block *block;

    if (arena == NULL)
        return;
    for (struct deferred *d = arena->deferred; d != NULL; d = d->next)
        d->release(d->object);
    block = arena->blocks;
    while (block != NULL) {
        struct block *next = block->next;

        free(block);
        block = next;
    }
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    size_t need = aligned(size);
    void *memory;

    if (need < size)
        fatal("arena: impossible size %zu", size);
    if (block == NULL || block->size - block->used < need)
        block = block_new(arena, need);
    memory = block->bytes + block->used;
    block->used += need;
    return memory;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

struct text arena_copy(struct arena *arena, struct text text)
{
    char *copy;

    if (text_is_absent(text))
        return text;
    copy = arena_alloc(arena, text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return (struct text){copy, text.size};
}

char *arena_strdup(struct arena *arena, const char *string)
{
    size_t size;

    if (string == NULL)
        return NULL;
    size = strlen(string) + 1;
    return memcpy(arena_alloc(arena, size), string, size);
}

char *arena_string(struct arena *arena, struct text text)
{
    char *copy = arena_alloc(arena, text.size + 1);

    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        fatal("arena: bad format %s", format);
    text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void arena_defer(struct arena *arena, void (*release)(void *object),
                 void *object)
{
    struct deferred *deferred = arena_alloc(arena, sizeof *deferred);

    deferred->next = arena->deferred;
    deferred->release = release;
    deferred->object = object;
    arena->deferred = deferred;
}

/* A large block goes behind the one being filled, which still has room. */
static struct block *block_new(struct arena *arena, size_t need)
{
    size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;
    struct block *block = xmalloc(sizeof *block + size);

    block->size = size;
    block->used = 0;
    if (need > BLOCK_SIZE && arena->blocks != NULL) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

static size_t aligned(size_t size)
{
    size_t step = alignof(max_align_t);

    return (size + step - 1) / step * step;
}

/*
 * What the fuzz targets share.
 */
#ifndef XQUEUE_TESTS_FUZZ_FUZZ_H
#define XQUEUE_TESTS_FUZZ_FUZZ_H

#include "server/base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the run, and the input is kept. */
#define PROMISE(condition)                                                     \
    do {                                                                       \
        if (!(condition))                                                      \
            abort();                                                           \
    } while (0)

/* The input up to the first newline; *rest is what comes after it. */
static inline struct text first_line(struct text input, struct text *rest)
{
    const char *end =
        input.size == 0 ? NULL : memchr(input.data, '\n', input.size);

    if (end == NULL) {
        *rest = (struct text){input.data + input.size, 0};
        return input;
    }
    *rest = (struct text){end + 1, (size_t)(input.data + input.size - end) - 1};
    return (struct text){input.data, (size_t)(end - input.data)};
}

/* Whether every byte of `part` is one of `whole`. */
static inline bool is_inside(struct text part, struct text whole)
{
    return (uintptr_t)part.data >= (uintptr_t)whole.data &&
           (uintptr_t)part.data + part.size <=
               (uintptr_t)whole.data + whole.size;
}

#endif

/*
 * Compiler attributes that carry part of a contract.
 */
#ifndef XQUEUE_BASE_COMPILER_H
#define XQUEUE_BASE_COMPILER_H

#include <stddef.h>

#define MUST_CHECK                __attribute__((warn_unused_result))
#define NORETURN                  __attribute__((noreturn))
#define PRINTF_LIKE(where, first) __attribute__((format(printf, where, first)))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                    \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif

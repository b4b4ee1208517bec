/*
 * Memory that is there or ends the process.
 *
 * The truth is in the database and a supervisor restarts us, so a failed
 * allocation is fatal rather than a path that nobody tests. Check sizes that
 * a peer can choose *before* allocating. Any thread.
 */
#ifndef XQUEUE_BASE_MEMORY_H
#define XQUEUE_BASE_MEMORY_H

#include "server/base/compiler.h"

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t count, size_t size) __attribute__((malloc));
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text) __attribute__((malloc));
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * Large blocks are to be the system's again as soon as they are free. The C
 * library would begin to keep them once the first is freed. Before threads.
 */
void memory_return_large_blocks(void);

/*
 * What is in there is not needed any more, the block itself stays as it is:
 * its whole pages are the system's again, and zeros should they be read. For
 * large blocks that somebody who is in a hurry will free.
 */
void memory_discard(void *data, size_t size);

/* Print the message on standard error and abort. For impossible states. */
NORETURN void fatal(const char *format, ...) PRINTF_LIKE(1, 2);

#endif

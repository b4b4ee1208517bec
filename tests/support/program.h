/*
 * A child process whose output goes to a file, for tests that start real
 * programs. Everything that waits has a deadline and fails the test with the
 * output when it passes. One thread.
 *
 * The child dies with the thread that started it, however that ends.
 */
#ifndef XQUEUE_TESTS_PROGRAM_H
#define XQUEUE_TESTS_PROGRAM_H

#include "server/base/arena.h"

#include <sys/types.h>

struct program;

/*
 * Start `words[0]` (a path) with these arguments, up to a NULL. `environment`
 * are "NAME=value" strings up to a NULL, put over our own; may be NULL.
 */
struct program *program_start(const char *const *words,
                              const char *const *environment);

/* Kills it when it still runs. NULL is legal. */
void program_free(struct program *program);

pid_t program_pid(const struct program *program);
bool program_is_running(struct program *program);
void program_signal(struct program *program, int signal_number);

/*
 * Wait until the output has a line that holds `words`, after the first
 * `*position` bytes of it, and move *position behind that line. The line is
 * copied into the arena.
 */
struct text program_wait_for_line(struct program *program, struct arena *arena,
                                  const char *words, size_t *position,
                                  int timeout_ms);

/* The exit code, or 128 and the number of the signal that ended it. */
int program_wait_for_exit(struct program *program, int timeout_ms);

/* Everything it has written so far, standard output and error as they came. */
struct text program_output(struct program *program, struct arena *arena);

#endif

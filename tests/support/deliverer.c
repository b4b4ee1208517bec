/*
 * A process that delivers and does not listen.
 */
#include "tests/support/deliverer.h"

#include "tests/support/program.h"
#include "tests/support/service_story.h"

#include <signal.h>
#include <string.h>

enum { START_MS = 20000, STOP_MS = 10000 };

struct program *deliverer_start(const char *const *words)
{
    const char *environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(service)), NULL};
    struct program *deliverer = program_start(words, environment);
    size_t position = 0;

    program_wait_for_line(deliverer, scratch, "info delivering ", &position,
                          START_MS);
    return deliverer;
}

void deliverer_stop(struct program *deliverer)
{
    struct text log;

    program_signal(deliverer, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(deliverer, STOP_MS), 0);
    log = program_output(deliverer, scratch);
    ck_assert_ptr_null(strstr(arena_string(scratch, log), "listening"));
    program_free(deliverer);
}

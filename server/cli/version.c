/*
 * xqueue version
 */
#include "server/cli/command.h"

#include <stdio.h>

static enum exit_code run(const struct options *options)
{
    (void)options;
    puts("xqueue " XQUEUE_VERSION);
    return EXIT_DONE;
}

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "Print the version.",
    .run = run,
};

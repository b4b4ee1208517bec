/*
 * What the commands that serve were told: serve, runserver, run_consumer.
 */
#ifndef XQUEUE_CLI_SERVE_H
#define XQUEUE_CLI_SERVE_H

#include "server/cli/command.h"

struct serving {
    struct options options; /* the address that was named among them */
    int roles;              /* of service.h */
    char address[256];      /* the options may borrow it */
};

/* The one that serves under this name, or NULL. */
const struct command *serving_command(const char *name);

/*
 * False, after saying why on standard error. The result borrows from
 * `options`, and stays where it is.
 */
bool serving_begin(const struct command *command, const struct options *options,
                   struct serving *ret_serving);

#endif

/*
 * The service: owns every part, starts and stops them in order.
 */
#ifndef XQUEUE_CLI_SERVICE_H
#define XQUEUE_CLI_SERVICE_H

#include "server/cli/options.h"

enum service_role {
    ROLE_WEB = 1,     /* answer requests */
    ROLE_DELIVER = 2, /* deliver callbacks */
};

/*
 * Run until a signal ends it: SIGTERM and SIGINT stop gracefully, a second
 * one at once; SIGHUP reads the configuration again. `options` are kept for
 * that. Returns the process's exit code.
 */
int service_run(const struct options *options, int roles);

#endif

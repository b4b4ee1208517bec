/*
 * The struct of the service, for service.c and its reload and shutdown.
 */
#ifndef XQUEUE_CLI_SERVICE_PRIVATE_H
#define XQUEUE_CLI_SERVICE_PRIVATE_H

#include "db/secret.h"
#include "server/cli/options.h"
#include "server/task/env.h"

struct delivery;

struct service {
    const struct options *options;
    int roles;
    struct config *first_config; /* borrowed by parts for their whole life */
    struct config *config;       /* the current one; may be the first */
    struct env env;
    struct http_server *http;
    char *address;                          /* owns; what http listens on */
    char *own_url;                          /* owns; env.own_url */
    unsigned char link_secret[SECRET_SIZE]; /* where SECRET_KEY is not set */
    struct delivery *delivery;              /* NULL without that role */
    struct housekeeping *housekeeping;
    struct loop_signal *on_term;
    struct loop_signal *on_int;
    struct loop_signal *on_hup;
    struct loop_timer *stop_timer;
    int64_t stop_deadline_ms;
    bool reloading;
    bool reload_again;
};

/* Read the configuration again and put it in force; later, on the loop. */
void service_reload(struct service *service);

/* Begin to stop; the loop ends when all is done or the time is over. */
void service_shut_down(struct service *service);

#endif

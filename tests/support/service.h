/*
 * The real server as a process of its own, on a database of
 * tests/support/mariadb.h and a free port of this machine. Its log is kept and
 * shown when something that we wait for does not come. One thread.
 *
 *     service = service_start(&(struct service_settings){0});
 *     client = http_client_new(service_port(service));
 */
#ifndef XQUEUE_TESTS_SERVICE_H
#define XQUEUE_TESTS_SERVICE_H

#include "db/conn.h"
#include "server/base/arena.h"

#include <sys/types.h>

struct service;

/* All that is NULL or 0 has a default. */
struct service_settings {
    const struct db_settings *database; /* mariadb_database() */
    bool owns_database;                 /* SERVICE_STORY: mariadb_start_own() */
    const char *queues;                 /* YAML flow map: "{test-pull: null}" */
    const char *users;                  /* "{lms: password}" */
    const char *more;                   /* further lines of the configuration */
    const char *const *options;         /* after `xqueue serve`, up to a NULL */
};

/*
 * Write the configuration, `xqueue update_users`, `xqueue serve`; back when
 * the status page answers. Callbacks leave at once (CALLBACK_DELAY: 0) unless
 * `more` sets it. The settings are copied, but not what `database` points to.
 */
struct service *service_start(const struct service_settings *settings);

/*
 * The same without starting anything, for tests that run commands alone, and
 * the start that may follow.
 */
struct service *service_new(const struct service_settings *settings);
void service_serve(struct service *service);

/* Ask it to end, check that it exits with 0 in time, and free it. */
void service_stop(struct service *service);

/* The same as far as the process goes; service_serve() may follow. */
void service_shut_down(struct service *service);

/* kill -9; service_serve() may follow, and gets the same port. */
void service_kill(struct service *service);

/* Replace the further lines of the configuration, or XQUEUES: for a reload. */
void service_set_more(struct service *service, const char *more);
void service_set_queues(struct service *service, const char *queues);

/* Send a signal and wait for a line of the log that holds `words`. */
void service_signal(struct service *service, int signal_number,
                    const char *words);

uint16_t service_port(const struct service *service);
pid_t service_pid(const struct service *service);

/* The path of the configuration file. */
const char *service_config(const struct service *service);

/*
 * MEDIA_ROOT: a folder of its own, unless the further lines of the
 * configuration name another; it goes with service_stop().
 */
const char *service_media_root(const struct service *service);

/* The log so far, from the last start; lives as long as the service. */
struct text service_log(struct service *service);

/* Wait for the next line of the log that holds `words`; lives as long. */
struct text service_wait_for_log(struct service *service, const char *words);

/*
 * Run `xqueue WORD...` with the same configuration and give its exit code.
 * *ret_output, which may be NULL, lives as long as the service.
 *
 *     service_command(service, &output, "retire_old_submissions", "q", NULL)
 */
int service_command(struct service *service, struct text *ret_output, ...)
    __attribute__((sentinel));

#endif

/*
 * The service.
 *
 *   wait for the database, check its schema, adopt what Django left, number
 *   the queues, get the secret of links; then start the parts, from the
 *   database up to the listener; run the loop; stop them in reverse.
 */
#include "server/cli/service.h"

#include "db/queue.h"
#include "db/schema.h"
#include "server/api/housekeeping.h"
#include "server/api/media_places.h"
#include "server/api/router.h"
#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/open_files.h"
#include "server/cli/adoption.h"
#include "server/cli/command.h"
#include "server/cli/delivery.h"
#include "server/cli/file_storage.h"
#include "server/cli/listen_address.h"
#include "server/cli/service_private.h"
#include "server/fetch/fetch.h"
#include "server/http/selftest.h"
#include "server/http/server.h"
#include "server/session/sessions.h"
#include "server/session/warm_up.h"
#include "server/storage/storage.h"
#include "server/task/database.h"
#include "server/task/loop.h"
#include "server/task/queue_table.h"
#include "server/task/queue_watch.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECT_PAUSE_MS = 500,
    POOL_WAIT_MS = 2000,
    /* To look through a large database that has just started, too. */
    PATIENCE_S = 600
};

static void heed_signals(void);
static void end_at_once(int number);
static bool prepare(struct service *service);
static enum db_status wait_for_database(struct db_conn *db);
static enum db_status check_schema(struct db_conn *db, struct arena *arena);
static enum db_status adopt_open(struct service *service, struct db_conn *db);
static enum db_status number_queues(struct service *service, struct db_conn *db,
                                    struct arena *arena);
static enum db_status load_secret(struct service *service, struct db_conn *db);
static bool start(struct service *service);
static void set_own_url(struct service *service,
                        const struct http_server *http);
static bool start_web(struct service *service);
static void stop(struct service *service);
static void on_stop_signal(void *context);
static void on_reload_signal(void *context);

int service_run(const struct options *options, int roles)
{
    struct service service = {.options = options, .roles = roles};
    int code = EXIT_FAILED;

    memory_return_large_blocks();
    service.first_config = options_load_config(options);
    if (service.first_config == NULL)
        return EXIT_FAILED;
    service.config = service.first_config;
    service.env.config = service.config;
    open_files_raise();
    db_library_start();
    fetch_library_start();
    heed_signals();
    if (prepare(&service) && start(&service)) {
        loop_run(service.env.loop);
        code = EXIT_DONE;
    }
    stop(&service);
    fetch_library_stop();
    db_library_stop();
    if (service.config != service.first_config)
        config_free(service.config);
    config_free(service.first_config);
    return code;
}

/*
 * Until the loop takes them over: nothing is in hand yet. As the first
 * process of a container we would not be ended without a handler, and a
 * request to reload comes too early.
 */
static void heed_signals(void)
{
    const struct sigaction end = {.sa_handler = end_at_once};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGHUP, &ignore, NULL);
}

static void end_at_once(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

/*
 * On a connection of its own, before anything listens. Should the database
 * go away in the middle, all of it can be done again.
 */
static bool prepare(struct service *service)
{
    struct db_settings settings = database_settings(service->config);
    struct arena *arena = arena_new();
    enum db_status status;
    struct db_conn *db;

    settings.timeout_s = PATIENCE_S;
    db_thread_start();
    db = db_conn_new(&settings);
    do {
        status = wait_for_database(db);
        if (status == DB_OK)
            status = check_schema(db, arena);
        if (status == DB_OK)
            status = adopt_open(service, db);
        if (status == DB_OK)
            status = number_queues(service, db, arena);
        if (status == DB_OK)
            status = load_secret(service, db);
    } while (status == DB_AWAY || status == DB_UNKNOWN);
    db_conn_free(db);
    db_thread_stop();
    arena_free(arena);
    return status == DB_OK;
}

/*
 * A database that is not there yet is waited for, as long as it takes: in a
 * set of containers it often starts later. One that refuses us is not.
 */
static enum db_status wait_for_database(struct db_conn *db)
{
    static struct log_once once = {.interval_s = 5};
    enum db_status status = db_conn_open(db);

    while (status == DB_AWAY) {
        log_repeated(&once, LOG_WARNING, "waiting for the database: %s",
                     db_conn_error(db));
        poll(NULL, 0, CONNECT_PAUSE_MS);
        status = db_conn_open(db);
    }
    if (status != DB_OK)
        log_event(LOG_ERROR, "start", log_string("reason", db_conn_error(db)));
    return status;
}

static enum db_status check_schema(struct db_conn *db, struct arena *arena)
{
    const char *problem = db_conn_error(db);
    enum db_status status = schema_is_current(db, arena, &problem);

    if (status != DB_OK)
        log_event(LOG_ERROR, "start", log_string("reason", problem));
    return status;
}

static enum db_status adopt_open(struct service *service, struct db_conn *db)
{
    enum db_status status = adoption_run(db, service->config);

    if (status != DB_OK)
        log_event(LOG_ERROR, "start", log_string("step", "adopt"),
                  log_string("reason", db_conn_error(db)));
    return status;
}

static enum db_status number_queues(struct service *service, struct db_conn *db,
                                    struct arena *arena)
{
    struct queue_numbers op = queue_table_question(arena, service->config);
    enum db_status status = db_run(db, &op.job);

    if (status != DB_OK)
        log_event(LOG_ERROR, "start", log_string("step", "queues"),
                  log_string("reason", op.job.error));
    else
        service->env.queues = queue_table_new(service->config, op.ret_numbers);
    return status;
}

static enum db_status load_secret(struct service *service, struct db_conn *db)
{
    enum db_status status = DB_OK;

    if (service->config->secret_key == NULL)
        status = secret_get(db, "links", service->link_secret);
    if (status != DB_OK)
        log_event(LOG_ERROR, "start", log_string("step", "secret"),
                  log_string("reason", db_conn_error(db)));
    return status;
}

static bool start(struct service *service)
{
    struct env *env = &service->env;

    env->loop = loop_new();
    service->on_term =
        loop_signal_new(env->loop, SIGTERM, on_stop_signal, service);
    service->on_int =
        loop_signal_new(env->loop, SIGINT, on_stop_signal, service);
    service->on_hup =
        loop_signal_new(env->loop, SIGHUP, on_reload_signal, service);
    env->database = database_start(env->loop, service->first_config);
    env->queue_watch = queue_watch_new(database_run, env->database);
    database_wait(env->database, POOL_WAIT_MS);
    set_own_url(service, NULL);
    file_storage_start(env, (struct text){(const char *)service->link_secret,
                                          sizeof service->link_secret});
    if (service->roles & ROLE_DELIVER)
        service->delivery = delivery_start(env);
    service->housekeeping = housekeeping_start(env);
    return (service->roles & ROLE_WEB) == 0 || start_web(service);
}

/* With a port of the system's choice where LISTEN has none. */
static void set_own_url(struct service *service, const struct http_server *http)
{
    const char *listen = service->first_config->listen;
    const char *port = strrchr(listen, ':');

    free(service->own_url);
    if (http == NULL)
        service->own_url = xasprintf("http://%s", listen);
    else
        service->own_url = xasprintf("http://%.*s:%u", (int)(port - listen),
                                     listen, (unsigned)http_server_port(http));
    service->env.own_url = service->own_url;
}

static bool start_web(struct service *service)
{
    const struct config *config = service->first_config;
    struct env *env = &service->env;
    struct http_settings settings;
    const char *error;

    if (!http_selftest(&error)) {
        log_event(LOG_ERROR, "start", log_string("step", "self-test"),
                  log_string("reason", error));
        return false;
    }
    http_settings_init(&settings);
    service->address = listen_address_split(config->listen, &settings.port);
    settings.address = service->address;
    settings.max_body_bytes = (size_t)config->request_max_bytes;
    settings.body_memory_bytes = (size_t)config->body_memory_bytes;
    settings.body_rate = (size_t)config->body_rate;
    settings.max_connections = (size_t)config->max_connections;
    env->sessions = sessions_start(env->loop, config);
    env->media_places = media_places_new(env->loop);
    service->http = http_server_start(loop_base(env->loop), &settings,
                                      router_handle, env, &error);
    if (service->http == NULL) {
        log_event(LOG_ERROR, "start", log_string("address", config->listen),
                  log_string("reason", error));
        return false;
    }
    set_own_url(service, service->http);
    warm_up(env);
    log_event(LOG_INFO, "listening", log_string("address", settings.address),
              log_integer("port", http_server_port(service->http)),
              log_integer("queues", (int64_t)config->queue_count));
    return true;
}

static void stop(struct service *service)
{
    struct env *env = &service->env;

    http_server_free(service->http);
    if (service->delivery != NULL)
        delivery_cut_off(service->delivery);
    sessions_stop(env->sessions);
    media_places_free(env->media_places);
    database_stop(env->database);
    queue_watch_free(env->queue_watch);
    storage_stop(env->storage);
    delivery_free(service->delivery);
    housekeeping_free(service->housekeeping);
    queue_table_free(env->queues);
    loop_timer_free(service->stop_timer);
    loop_signal_free(service->on_term);
    loop_signal_free(service->on_int);
    loop_signal_free(service->on_hup);
    loop_free(env->loop);
    free(service->address);
    free(service->own_url);
    crypto_wipe(service->link_secret, sizeof service->link_secret);
}

static void on_stop_signal(void *context)
{
    service_shut_down(context);
}

static void on_reload_signal(void *context)
{
    service_reload(context);
}

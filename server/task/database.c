/*
 * The database pool on the event loop.
 */
#include "server/task/database.h"

#include "server/base/memory.h"
#include "server/task/loop.h"

#include <stdlib.h>

struct database {
    struct db_settings settings;
    struct db_pool *pool;
    struct loop_wake *wake;
    struct loop_timer *watch;
    struct loop_timer *calling;
    bool was_up;
};

/*
 * The LMS waits 10 s for an answer (R18): a database that says nothing has to
 * be given up, connected to again and asked how a COMMIT ended within that.
 */
enum { WATCH_MS = 1000, CONNECT_S = 2, ANSWER_S = 4 };

static void call(void *context);
static void collect(void *context);
static void watch(void *context);

struct db_settings database_settings(const struct config *config)
{
    static const enum db_tls tls[] = {
        [CONFIG_TLS_OFF] = DB_TLS_OFF,
        [CONFIG_TLS_REQUIRED] = DB_TLS_REQUIRED,
        [CONFIG_TLS_VERIFY_CA] = DB_TLS_VERIFY_CA,
        [CONFIG_TLS_VERIFY] = DB_TLS_VERIFY,
    };
    const struct config_database *database = &config->database;

    return (struct db_settings){
        .host = database->host,
        .port = (unsigned)database->port,
        .unix_socket = database->unix_socket,
        .name = database->name,
        .user = database->user,
        .password = database->password,
        .tls = tls[database->tls],
        .tls_ca = database->tls_ca,
        .tls_cert = database->tls_cert,
        .tls_key = database->tls_key,
    };
}

struct database *database_start(struct loop *loop, const struct config *config)
{
    struct database *database = xcalloc(1, sizeof *database);
    struct db_pool_settings settings = {
        .database = &database->settings,
        .connections = (size_t)config->db_connections,
        .max_waiting = (size_t)config->db_queue,
        .wake = loop_wake,
    };

    database->settings = database_settings(config);
    database->settings.connect_timeout_s = CONNECT_S;
    database->settings.timeout_s = ANSWER_S;
    database->wake = loop_wake_new(loop, collect, database);
    database->watch = loop_timer_new(loop, watch, database);
    database->calling = loop_timer_new(loop, call, database);
    settings.wake_context = database->wake;
    database->pool = db_pool_start(&settings);
    database->was_up = true;
    loop_timer_set(database->watch, WATCH_MS);
    return database;
}

void database_run(struct database *database, struct db_job *job)
{
    if (db_pool_put(database->pool, job)) {
        loop_timer_set_soon(database->calling);
        return;
    }
    job->status = DB_AWAY;
    job->error_number = 0;
    job->error[0] = '\0';
    job->done(job);
}

void database_wait(struct database *database, int timeout_ms)
{
    if (!db_pool_wait(database->pool, timeout_ms))
        log_event(LOG_WARNING, "start",
                  log_string("text", "no database connection yet"));
}

void database_stop(struct database *database)
{
    if (database == NULL)
        return;
    db_pool_stop(database->pool);
    loop_timer_free(database->calling);
    loop_timer_free(database->watch);
    loop_wake_free(database->wake);
    free(database);
}

/* For all that the requests of this turn of the loop have put. */
static void call(void *context)
{
    struct database *database = context;

    db_pool_call(database->pool);
}

static void collect(void *context)
{
    struct database *database = context;

    db_pool_collect(database->pool);
}

/* Says once that the database went away, and once that it is back. */
static void watch(void *context)
{
    struct database *database = context;
    bool up = db_pool_is_up(database->pool);
    char reason[160];

    if (!up && database->was_up) {
        db_pool_last_error(database->pool, reason, sizeof reason);
        log_event(LOG_ERROR, "database_away", log_string("reason", reason),
                  log_string("then", "connecting again until it answers"));
    } else if (up && !database->was_up) {
        log_event(
            LOG_INFO, "database_back",
            log_integer("pending", (int64_t)db_pool_pending(database->pool)));
    }
    database->was_up = up;
    loop_timer_set(database->watch, WATCH_MS);
}

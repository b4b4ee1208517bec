/*
 * Somebody holds an old snapshot of the database, a dump perhaps, for a
 * minute at full load: whole active cycles. The server of the database must
 * keep all that was deleted meanwhile, and whoever looks for something must
 * step over it. Rounds before and after are the baseline. BENCH_HELD: another
 * number of seconds.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cycle.h"
#include "tests/support/service_story.h"

#include <stdlib.h>

enum {
    SUBMITTERS = 32,
    POLLERS = 32,
    MOST_OPEN = 500,
    HELD_S = 60,
    ROUNDS = 6,
    PURGED = 1000
};

struct load {
    struct cycle_settings cycle;
    int64_t next_number;
    struct series history; /* of the database: transactions to be purged */
};

static void run_rounds(struct load *load, size_t rounds, struct series *ret);
static double history_length(void);
static const char *history_sql(void);
static struct db_conn *take_snapshot(const struct db_settings *database);
static void end_snapshot(struct db_conn *db);

static void run(void)
{
    struct load load = {.next_number = 0};
    struct series undisturbed = {.count = 0};
    struct series held = {.count = 0};
    size_t rounds = bench_size(ROUNDS, 2);
    const struct db_settings *database = mariadb_database();
    struct fast_lms *lms = fast_lms_start();
    struct db_conn *snapshot;

    own_service_begin(&(struct service_settings){
        .database = database,
        .queues = "{bench: null}",
        .more = "DB_CONNECTIONS: 8\nCALLBACK_DELAY: 0\n",
    });
    load.cycle = (struct cycle_settings){
        .port = service_port(service),
        .words = cycle_words_new(&(struct cycle_words_settings){
            .queue = "bench",
            .cookie = http_cookie(client, "sessionid"),
            .lms_port = fast_lms_port(lms),
            .body_bytes = 1024,
            .reply_bytes = 200,
        }),
        .lms = lms,
        .submitters = SUBMITTERS,
        .pollers = POLLERS,
        .most_open = MOST_OPEN,
        .seconds = bench_setting("BENCH_HELD", bench_is_short() ? 1 : HELD_S) /
                   (double)rounds,
        .next_number = &load.next_number,
    };
    run_rounds(&load, rounds / 2, &undisturbed);
    report_progress("somebody takes a snapshot; history list: %.0f",
                    history_length());
    snapshot = take_snapshot(database);
    run_rounds(&load, rounds, &held);
    report_progress("and ends it; history list: %.0f", history_length());
    series_add(&load.history, history_length());
    end_snapshot(snapshot);
    mariadb_wait_for_value("1", "SELECT (%s) < %d", history_sql(), PURGED);
    run_rounds(&load, rounds - rounds / 2, &undisturbed);
    report_ratio("cycles while a snapshot is held", "/s", &held, &undisturbed,
                 "no snapshot", AT_LEAST(0.9));
    report_value("history list at its end", "transactions", &load.history,
                 NO_TARGET);
    own_service_end();
    fast_lms_stop(lms);
}

static void run_rounds(struct load *load, size_t rounds, struct series *ret)
{
    for (size_t i = 0; i < rounds; i++) {
        struct cycle_result result = cycle_run(&load->cycle);

        report_progress("%.0f cycles/s, history list: %.0f", result.per_second,
                        history_length());
        series_add(ret, result.per_second);
    }
}

static double history_length(void)
{
    return strtod(mariadb_value("%s", history_sql()), NULL);
}

static const char *history_sql(void)
{
    return mariadb_is_mysql()
               ? "SELECT COUNT FROM information_schema.INNODB_METRICS"
                 " WHERE NAME = 'trx_rseg_history_len'"
               : "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
                 " WHERE VARIABLE_NAME = 'Innodb_history_list_length'";
}

static struct db_conn *take_snapshot(const struct db_settings *database)
{
    struct db_conn *db = db_conn_new(database);
    bool is_taken =
        db_conn_open(db) == DB_OK &&
        db_execute_text(db, "SET SESSION TRANSACTION ISOLATION LEVEL"
                            " REPEATABLE READ") == DB_OK &&
        db_execute_text(db, "START TRANSACTION WITH CONSISTENT SNAPSHOT") ==
            DB_OK;

    report_check(is_taken, "no snapshot: %s", db_conn_error(db));
    return db;
}

static void end_snapshot(struct db_conn *db)
{
    report_check(db_execute_text(db, "COMMIT") == DB_OK, "the snapshot: %s",
                 db_conn_error(db));
    db_conn_free(db);
}

BENCH("snapshot", "a snapshot held for a minute at full load", run)

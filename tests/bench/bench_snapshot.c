/*
 * Somebody holds an old snapshot of the database, a dump perhaps, for a
 * minute at full load: whole active cycles. The server of the database must
 * keep all that was deleted meanwhile, and whoever looks for something must
 * step over it. Rounds before and after are the baseline. BENCH_HELD: another
 * number of seconds.
 */
#include "tests/bench/support/active.h"
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/support/service_story.h"

#include <stdlib.h>

enum { CLIENTS = 32, MOST_OPEN = 500, HELD_S = 60, ROUNDS = 6 };

static void begin(struct active *active, size_t rounds);
static void run_rounds(struct active *active, size_t rounds,
                       struct series *ret);
static struct db_conn *take_snapshot(const struct db_settings *database);
static void end_snapshot(struct db_conn *db);

static void run(void)
{
    size_t rounds = bench_size(ROUNDS, 2);
    struct series undisturbed = {.count = 0};
    struct series held = {.count = 0};
    struct series history = {.count = 0}; /* transactions to be purged */
    struct db_conn *snapshot;
    struct active active;

    begin(&active, rounds);
    run_rounds(&active, rounds / 2, &undisturbed);
    report_progress("somebody takes a snapshot; history list: %.0f",
                    database_history_length());
    snapshot = take_snapshot(active.database);
    run_rounds(&active, rounds, &held);
    report_progress("and ends it; history list: %.0f",
                    database_history_length());
    series_add(&history, database_history_length());
    end_snapshot(snapshot);
    database_wait_for_purge();
    run_rounds(&active, rounds - rounds / 2, &undisturbed);
    report_ratio("cycles while a snapshot is held", "/s", &held, &undisturbed,
                 "no snapshot", AT_LEAST(0.9));
    report_value("history list at its end", "transactions", &history,
                 NO_TARGET);
    active_end(&active);
}

static void begin(struct active *active, size_t rounds)
{
    double seconds = bench_setting("BENCH_HELD", bench_is_short() ? 1 : HELD_S);

    active_begin(active, "DB_CONNECTIONS: 8\nCALLBACK_DELAY: 0\n");
    active->load.submitters = CLIENTS;
    active->load.pollers = CLIENTS;
    active->load.most_open = MOST_OPEN;
    active->load.seconds = seconds / (double)rounds;
}

static void run_rounds(struct active *active, size_t rounds, struct series *ret)
{
    for (size_t i = 0; i < rounds; i++) {
        struct cycle_result result = cycle_run(&active->load);

        report_progress("%.0f cycles/s, history list: %.0f", result.per_second,
                        database_history_length());
        series_add(ret, result.per_second);
    }
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

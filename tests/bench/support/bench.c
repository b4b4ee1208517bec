/*
 * The frame of a benchmark, upon that of a test program.
 */
#include "tests/bench/support/bench.h"

#include "server/base/compiler.h"
#include "tests/support/mariadb.h"
#include "tests/support/story.h"

#include <stdlib.h>

enum { ROUNDS = 5, TIMEOUT_S = 3600, MOST_OPTIONS = 30 };

/* What MariaDB has by itself; the tests' servers are smaller. */
static const char *const usual_options[] = {
    "--innodb-buffer-pool-size=128M", "--loose-innodb-log-file-size=96M",
    "--loose-innodb-redo-log-capacity=100M", NULL};

static const struct bench *here; /* in the test's process, too */

static void start_database(void);

START_TEST(benchmark)
{
    report_begin(here->name, here->what);
    here->run();
    ck_assert_msg(report_end() == EXIT_SUCCESS, "something does not hold");
}
END_TEST

int bench_main(const struct bench *bench)
{
    static const struct story_test tests[] = {TELL(benchmark)};
    const struct story story = {
        .name = bench->name,
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = start_database,
        .after_all = mariadb_stop,
        .timeout_s = TIMEOUT_S,
    };

    here = bench;
    return story_run(&story);
}

double bench_setting(const char *name, double otherwise)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? strtod(value, NULL) : otherwise;
}

bool bench_is_short(void)
{
    return bench_setting("BENCH_SHORT", 0) != 0;
}

size_t bench_round_count(void)
{
    double rounds =
        bench_is_short() ? 1 : bench_setting("BENCH_ROUNDS", ROUNDS);

    return rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : (size_t)rounds;
}

double bench_seconds(void)
{
    return bench_is_short() ? 0.2 : bench_setting("BENCH_SECONDS", 1.5);
}

size_t bench_size(size_t whole, size_t little)
{
    return bench_is_short() ? little : whole;
}

void bench_rounds(bench_round *ours, bench_round *base, void *context,
                  struct series *ret_ours, struct series *ret_base)
{
    for (size_t i = 0; i < bench_round_count(); i++) {
        if (i % 2 == 0)
            series_add(ret_ours, ours(context));
        series_add(ret_base, base(context));
        if (i % 2 == 1)
            series_add(ret_ours, ours(context));
    }
}

void bench_rounds_alone(bench_round *ours, void *context,
                        struct series *ret_ours)
{
    for (size_t i = 0; i < bench_round_count(); i++)
        series_add(ret_ours, ours(context));
}

static void start_database(void)
{
    static const char *options[MOST_OPTIONS + 1];
    size_t count = 0;

    for (size_t i = 0; usual_options[i] != NULL; i++)
        options[count++] = usual_options[i];
    for (size_t i = 0; here->database != NULL && here->database[i] != NULL &&
                       count < MOST_OPTIONS;
         i++)
        options[count++] = here->database[i];
    mariadb_start_own_with(options);
}

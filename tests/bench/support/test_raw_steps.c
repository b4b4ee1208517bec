/*
 * The bare loops: they run, and count what the database says. (They check
 * that themselves, and end the program otherwise.)
 */
#include "tests/bench/support/raw_steps.h"

#include "tests/support/mariadb.h"

static void run_step(enum raw_step step, size_t rows)
{
    const struct db_settings *database = mariadb_empty_database();
    struct raw_steps_settings settings = {
        .database = database,
        .step = step,
        .connections = 3,
        .rows = rows,
        .body_bytes = 100,
        .seconds = 0.1,
    };

    ck_assert_double_gt(raw_steps_run(&settings), 0);
}

START_TEST(submits)
{
    run_step(RAW_SUBMIT, 1);
    run_step(RAW_SUBMIT, 256);
}
END_TEST

START_TEST(pulls)
{
    run_step(RAW_PULL, 1);
    run_step(RAW_PULL, 256);
}
END_TEST

START_TEST(stores_results)
{
    run_step(RAW_RESULT, 1);
    run_step(RAW_RESULT, 256);
}
END_TEST

DATABASE_STORY("raw steps", TELL(submits), TELL(pulls), TELL(stores_results))

/*
 * What a batch costs: as many statements for many jobs as for one, counted by
 * the server, and in how many trips to it they travel.
 */
#include "tests/support/hot_story.h"

#include <string.h>

enum { MOST = 64 };

/* Of batches; rows of texts go in steps. */
static const size_t sizes[] = {1, 7, 24, MOST};

static struct submission_insert inserts[MOST];
static struct submission_pull pulls[MOST];
static struct submission_answer answers[MOST];
static struct outbox_record records[MOST];
static struct db_job *jobs[MOST];
static uint64_t trips; /* of the last batch */

static int64_t statements_so_far(void)
{
    struct db_rows rows;
    const char *sql =
        arena_printf(arena,
                     "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM %s"
                     " WHERE VARIABLE_NAME = 'Questions'",
                     mariadb_session_status());

    ck_assert_int_eq(db_query(db, arena, sql, NULL, 0, &rows), DB_OK);
    return db_integer(&rows, 0, 0);
}

/* BEGIN and COMMIT among them. */
static int64_t statements_of(size_t count)
{
    /* Asking is a statement, too. */
    int64_t first = statements_so_far();
    int64_t before = statements_so_far();

    trips = db_conn_trips(db);
    ck_assert_int_eq(run_batch(db, jobs, count), DB_OK);
    trips = db_conn_trips(db) - trips;
    return statements_so_far() - before - (before - first);
}

static void prepare_submits(size_t count)
{
    static int number;

    for (size_t i = 0; i < count; i++) {
        inserts[i] = insert_of(arena_printf(arena, "7:%d", ++number));
        jobs[i] = &inserts[i].job;
    }
}

static void prepare_pulls(size_t count)
{
    prepare_submits(count);
    ck_assert_int_eq(run_batch(db, jobs, count), DB_OK);
    for (size_t i = 0; i < count; i++) {
        pulls[i] = pull_of();
        jobs[i] = &pulls[i].job;
    }
}

static void prepare_answers(size_t count)
{
    prepare_pulls(count);
    ck_assert_int_eq(run_batch(db, jobs, count), DB_OK);
    for (size_t i = 0; i < count; i++) {
        answers[i] = answer_of(pulls[i].id, pulls[i].pullkey, "reply");
        jobs[i] = &answers[i].job;
    }
}

static void prepare_records(size_t count)
{
    struct outbox_claim claimed;

    prepare_answers(count);
    ck_assert_int_eq(run_batch(db, jobs, count), DB_OK);
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, count);
    for (size_t i = 0; i < count; i++) {
        records[i] = record_of(&claimed, i, OUTBOX_DELIVERED);
        jobs[i] = &records[i].job;
    }
}

static void expect_statements_of(void prepare(size_t count), size_t count,
                                 int64_t statements, uint64_t in_trips)
{
    /* The first is prepared on the way. */
    for (int i = 0; i < 2; i++) {
        prepare(count);
        ck_assert_int_eq(statements_of(count), statements);
        ck_assert_uint_eq(trips, in_trips);
        for (size_t k = 0; k < count; k++)
            ck_assert_int_eq(jobs[k]->status, DB_OK);
    }
}

static void expect_statements(void prepare(size_t count), int64_t statements,
                              uint64_t in_trips)
{
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
        expect_statements_of(prepare, sizes[i], statements, in_trips);
}

/*
 * The lock of the live rows; older callbacks, and the new ones; the results,
 * and where the submissions stand.
 */
START_TEST(a_batch_of_results_takes_eight_statements)
{
    expect_statements(prepare_answers, 8, 6);
}
END_TEST

/*
 * What is replaced, and how many wait; the submissions, where they stand,
 * their places in the line, and its count.
 */
START_TEST(a_batch_of_submissions_takes_eight_statements)
{
    expect_statements(prepare_submits, 8, 4);
}
END_TEST

/* 45 rows are 32, 12 and 1; without a text they go together. */
START_TEST(a_batch_between_two_steps_takes_a_few_more_for_its_texts)
{
    expect_statements_of(prepare_submits, 13, 8 + 1, 4 + 1);
    expect_statements_of(prepare_submits, 31, 8 + 1, 4 + 1);
    expect_statements_of(prepare_submits, 45, 8 + 2, 4 + 2);
    ck_assert_value("178", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

/*
 * The claim; the rest of what it gives; the keys; out of the line, and out of
 * its count.
 */
START_TEST(a_batch_of_pulls_takes_eight_statements)
{
    expect_statements(prepare_pulls, 8, 5);
    expect_statements_of(prepare_pulls, 3, 8, 5); /* padded to 4 */
}
END_TEST

/*
 * The lock of the live rows; whose the callbacks are, and what is behind
 * them; away with them, a note, and away with the live rows.
 */
START_TEST(a_batch_of_records_takes_eight_statements)
{
    expect_statements(prepare_records, 8, 4);
}
END_TEST

/* How many are due; the first of them; their texts; they are ours. */
START_TEST(a_claim_takes_seven_statements)
{
    struct outbox_claim self;

    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        prepare_answers(sizes[i]);
        ck_assert_int_eq(run_batch(db, jobs, sizes[i]), DB_OK);
        self = claim_of(7, 1);
        jobs[0] = &self.job;
        ck_assert_int_eq(statements_of(1), 7);
        ck_assert_uint_eq(trips, 5);
        ck_assert_uint_eq(self.count, sizes[i]);
    }
}
END_TEST

START_TEST(results_of_many_bytes_share_no_statement)
{
    char *text = arena_alloc(arena, 700 * 1000);

    prepare_answers(4);
    memset(text, 'x', 700 * 1000);
    for (size_t i = 0; i < 4; i++)
        answers[i].reply = (struct text){text, 700 * 1000};
    ck_assert_int_eq(statements_of(4), 8 + 3);
    ck_assert_value("4", "SELECT COUNT(*) FROM queue_submission"
                         " WHERE LENGTH(grader_reply) = 700000");
}
END_TEST

HOT_STORY("statements", TELL(a_batch_of_submissions_takes_eight_statements),
          TELL(a_batch_between_two_steps_takes_a_few_more_for_its_texts),
          TELL(a_claim_takes_seven_statements),
          TELL(a_batch_of_pulls_takes_eight_statements),
          TELL(a_batch_of_records_takes_eight_statements),
          TELL(a_batch_of_results_takes_eight_statements),
          TELL(results_of_many_bytes_share_no_statement))

/*
 * What looking for and claiming submissions to push costs, beside a long
 * queue: how many rows are read, how many are kept locked.
 */
#include "tests/support/hot_story.h"

#include <pthread.h>

enum { MANY = 200000 };

static int64_t reads_of(struct db_job *job)
{
    return reads_of_batch(&job, 1);
}

static int64_t reads_of_look(void)
{
    const int64_t queues[] = {QUEUE, OTHER_QUEUE};
    bool waiting[2];
    struct queue_look look = queue_look_of(queues, 2, waiting);
    int64_t reads = reads_of(&look.job);

    ck_assert(waiting[0]);
    ck_assert(!waiting[1]);
    return reads;
}

static int64_t reads_of_claim(size_t concurrency, size_t count)
{
    struct push_claim claim = push_claim_of(concurrency);
    int64_t reads = reads_of(&claim.job);

    ck_assert_uint_eq(claim.count, count);
    return reads;
}

START_TEST(in_front_of_200000_a_look_and_a_claim_read_a_few_rows)
{
    add_waiting(10);
    reads_of_look();
    push_claim(1, 1);
    add_waiting(MANY);
    /*
     * A row of each queue, the first of those that wait, and the end of the
     * list.
     */
    ck_assert_int_le(reads_of_look(), 8);
    /* The queue, the place that is taken; and what a pull of one reads: 6. */
    ck_assert_int_le(reads_of_claim(2, 1), 10);
    /* With no place free nobody looks at what waits. */
    ck_assert_int_le(reads_of_claim(2, 0), 4);
    ck_assert_int_le(reads_of_claim(18, 16), 20 + 9 * 16);
}
END_TEST

START_TEST(an_end_reads_a_few_rows_beside_many)
{
    struct push_claim claimed;
    struct push_end end;

    add_finished(3000);
    add_waiting(3000);
    claimed = push_claim(2, 2);
    ck_assert_int_eq(push_end(&claimed.items[0], PUSH_GRADED, "reply"), DB_OK);
    end = push_end_of(&claimed.items[1], PUSH_GRADED, "reply");
    ck_assert_int_le(reads_of(&end.job), 8);
}
END_TEST

static void *claim_elsewhere(void *context)
{
    struct push_claim *claim = context;

    db_thread_start();
    db_run(db, &claim->job);
    db_thread_stop();
    return NULL;
}

/*
 * The whole of a claim of two but for the place of the second, which
 * somebody else holds.
 */
START_TEST(a_claim_keeps_locked_what_it_hands_out_and_the_queue)
{
    struct push_claim claim = push_claim_of(2);
    struct submission_insert next = insert_of("7:new");
    struct db_conn *third = db_conn_new(database);
    struct submission_pull theirs = pull_of();
    const char *second;
    pthread_t thread;

    db_conn_set_slot(third, 3);
    add_waiting(2000);
    mariadb_run("INSERT INTO xqueue_depth VALUES (1, 1, 0)");
    second = mariadb_value("SELECT id FROM xqueue_ready"
                           " ORDER BY arrival_us LIMIT 1 OFFSET 1");
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert_int_eq(db_conn_open(other_db), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(other_db, arena_printf(arena,
                                               "INSERT INTO xqueue_push"
                                               " VALUES (1, %s, 'theirs', 1)",
                                               second)),
        DB_OK);
    pthread_create(&thread, NULL, claim_elsewhere, &claim);
    wait_for_waiting_locks(1);
    /*
     * Of each of the two its rows in xqueue_ready, xqueue_live and
     * queue_submission; the depth counter; the queue; and the place it waits
     * for.
     */
    ck_assert_str_eq(rows_locked_by(db), "9");
    /* Others submit and pull meanwhile. */
    ck_assert_int_eq(db_run(third, &next.job), DB_OK);
    ck_assert_int_eq(db_run(third, &theirs.job), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
    pthread_join(thread, NULL);
    ck_assert_int_eq(claim.job.status, DB_OK);
    ck_assert_uint_eq(claim.count, 2);
    ck_assert_int_eq(theirs.id, claim.items[1].id + 1);
    db_conn_free(third);
}
END_TEST

HOT_STORY("push_cost",
          TELL(in_front_of_200000_a_look_and_a_claim_read_a_few_rows),
          TELL(an_end_reads_a_few_rows_beside_many),
          TELL(a_claim_keeps_locked_what_it_hands_out_and_the_queue))

/*
 * What the operations on the hot set cost: which index each statement walks,
 * how many rows it reads, how many it keeps locked. The statements are taken
 * from the server's general log, so they are those that really ran.
 */
#include "tests/support/hot_story.h"

#include <pthread.h>
#include <string.h>

enum { BATCH = 16, FEW_ROWS = 100, STATEMENTS = 1000 };

/* What a test measures of, ready to run as one batch. */
struct jobs {
    struct db_job *list[BATCH];
    size_t count;
};

static struct submission_pull pulls[BATCH];
static struct submission_answer answers[BATCH];
static struct outbox_record records[BATCH];
static struct submission_insert inserts[BATCH];
static struct push_end ends[BATCH];

static const struct text *logged[STATEMENTS];
static size_t logged_count;

static struct jobs pulling(size_t count)
{
    struct jobs jobs = {.count = count};

    for (size_t i = 0; i < count; i++) {
        pulls[i] = pull_of();
        jobs.list[i] = &pulls[i].job;
    }
    return jobs;
}

static struct jobs answering(size_t count)
{
    struct jobs jobs = {.count = count};

    for (size_t i = 0; i < count; i++) {
        answers[i] = answer_of(pulls[i].id, pulls[i].pullkey, "reply");
        jobs.list[i] = &answers[i].job;
    }
    return jobs;
}

static struct jobs recording(const struct outbox_claim *claimed)
{
    struct jobs jobs = {.count = claimed->count};

    for (size_t i = 0; i < claimed->count; i++) {
        records[i] = record_of(claimed, i, OUTBOX_DELIVERED);
        jobs.list[i] = &records[i].job;
    }
    return jobs;
}

static struct jobs submitting(size_t count)
{
    struct jobs jobs = {.count = count};

    for (size_t i = 0; i < count; i++) {
        inserts[i] = insert_of(arena_printf(arena, "7:%d", (int)i));
        jobs.list[i] = &inserts[i].job;
    }
    return jobs;
}

static void run(struct jobs jobs)
{
    ck_assert_int_eq(run_batch(db, jobs.list, jobs.count), DB_OK);
}

/* --- plans ------------------------------------------------------------ */

static const char *log_output; /* of before: the server may be others', too */

/* A statement prepared before would be logged without its parameters. */
static void log_statements(void)
{
    db_conn_close(db);
    log_output = mariadb_value("SELECT @@log_output");
    mariadb_run("SET GLOBAL log_output = 'TABLE', general_log = 1");
}

/* Of what only adds rows (INSERT, REPLACE), or none, there is no plan. */
static void note(struct text sql)
{
    struct text *copy;

    if (!text_starts_with(sql, "SELECT") && !text_starts_with(sql, "UPDATE") &&
        !text_starts_with(sql, "DELETE"))
        return;
    ck_assert_uint_lt(logged_count, STATEMENTS);
    copy = arena_alloc(arena, sizeof *copy);
    *copy = sql;
    logged[logged_count++] = copy;
}

/* Several may have travelled together, db/deferred.c. */
static void note_each(struct text sql)
{
    const char *end;

    while ((end = memmem(sql.data, sql.size, "; ", 2)) != NULL) {
        size_t size = (size_t)(end - sql.data);

        note((struct text){sql.data, size});
        sql = (struct text){sql.data + size + 2, sql.size - size - 2};
    }
    note(sql);
}

/* Everything that our connection has run since. */
static void read_log(void)
{
    struct db_rows rows;
    /* MySQL keeps bytes, among them those of parameters that are no text. */
    const char *argument =
        mariadb_is_mysql() ? "argument" : "CONVERT(argument USING utf8mb4)";

    mariadb_run("SET GLOBAL general_log = 0, log_output = '%s'", log_output);
    ck_assert_int_eq(db_query(other_db, arena,
                              arena_printf(arena,
                                           "SELECT %s, command_type = 'Query'"
                                           " FROM mysql.general_log"
                                           " WHERE command_type IN ('Execute',"
                                           " 'Query') AND thread_id = ?"
                                           " ORDER BY event_time",
                                           argument),
                              &DB_INTEGER(db_conn_id(db)), 1, &rows),
                     DB_OK);
    mariadb_run("TRUNCATE mysql.general_log");
    for (size_t i = 0; i < rows.count; i++) {
        if (db_integer(&rows, i, 1) != 0)
            note_each(db_text(&rows, i, 0));
        else
            note(db_text(&rows, i, 0));
    }
}

/* Look, claim, and end in each of the ways that there are. */
static void push(size_t count)
{
    const int64_t queues[] = {QUEUE, OTHER_QUEUE};
    bool waiting[2];
    struct queue_look look = queue_look_of(queues, 2, waiting);

    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    for (int outcome = PUSH_GRADED; outcome <= PUSH_CUT_OFF; outcome++) {
        struct push_claim claimed;
        struct jobs jobs = {.count = count};

        run(submitting(count));
        /* A place whose lease is over, too. */
        mariadb_run("INSERT INTO xqueue_push VALUES (1, 1000000, '', 1)");
        claimed = push_claim(count, count);
        for (size_t i = 0; i < count; i++) {
            ends[i] = push_end_of(&claimed.items[i], (enum push_outcome)outcome,
                                  "reply");
            jobs.list[i] = &ends[i].job;
        }
        run(jobs);
    }
    mariadb_run("DELETE FROM xqueue_outbox");
}

/* Every kind of operation, in batches of this size. */
static void log_operations(size_t count)
{
    struct outbox_look look = {.job.op = &outbox_look_op, .arena = arena};
    struct outbox_claim claimed;

    run(submitting(count));
    log_statements();
    run(submitting(count));
    run(pulling(count));
    run(answering(count));
    claimed = claim(7, 1);
    run(recording(&claimed));
    run(pulling(count));
    expire();
    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    push(count);
    read_log();
}

/* The columns of EXPLAIN that count: the two servers have different ones. */
struct plan {
    struct text table;
    struct text type;
    int64_t rows;
    struct text extra;
};

static struct plan read_plan(const struct db_rows *rows, size_t row)
{
    int shift = mariadb_is_mysql() ? 1 : 0;
    const struct db_cell *cells = &rows->cells[row * rows->columns];

    return (struct plan){
        .table = cells[2].text,
        .type = cells[3 + shift].text,
        .rows = cells[8 + shift].is_integer ? cells[8 + shift].integer : 0,
        .extra = cells[rows->columns - 1].text,
    };
}

static bool is_scan(const struct plan *plan)
{
    return text_equal_string(plan->type, "ALL") ||
           text_equal_string(plan->type, "index");
}

static bool mentions(struct text text, const char *words)
{
    return !text_is_absent(text) &&
           memmem(text.data, text.size, words, strlen(words)) != NULL;
}

/*
 * What locks or changes rows never scans, however few rows there are; what
 * only reads may scan a small table.
 */
static void expect_no_scan(struct text sql)
{
    bool only_reads =
        text_starts_with(sql, "SELECT") && !mentions(sql, "FOR UPDATE");
    struct db_rows rows;
    enum db_status status =
        db_query(other_db, arena,
                 arena_printf(arena, "EXPLAIN FORMAT=TRADITIONAL %.*s",
                              TEXT_ARGUMENTS(sql)),
                 NULL, 0, &rows);

    ck_assert_msg(status == DB_OK, "%.*s: %s", TEXT_ARGUMENTS(sql),
                  db_conn_error(other_db));
    for (size_t i = 0; i < rows.count; i++) {
        struct plan plan = read_plan(&rows, i);

        /* The list that rows are looked up by. */
        if (mentions(plan.table, "derived") ||
            text_equal_string(plan.table, "list"))
            continue;
        ck_assert_msg(!is_scan(&plan) || (only_reads && plan.rows < FEW_ROWS),
                      "%.*s scans %.*s", TEXT_ARGUMENTS(sql),
                      TEXT_ARGUMENTS(plan.table));
        ck_assert_msg(only_reads || !(mentions(plan.extra, "filesort") ||
                                      mentions(plan.extra, "temporary")),
                      "%.*s: %.*s", TEXT_ARGUMENTS(sql),
                      TEXT_ARGUMENTS(plan.extra));
    }
}

static void expect_no_scans(void)
{
    mariadb_run("ANALYZE TABLE xqueue_live, xqueue_ready, xqueue_outbox,"
                " xqueue_push, queue_submission");
    ck_assert_uint_gt(logged_count, 10);
    for (size_t i = 0; i < logged_count; i++)
        expect_no_scan(*logged[i]);
}

START_TEST(one_at_a_time_in_small_tables_nothing_scans)
{
    log_operations(1);
    expect_no_scans();
}
END_TEST

START_TEST(in_batches_in_small_tables_nothing_scans)
{
    log_operations(BATCH);
    add_waiting(4);
    expect_no_scans();
}
END_TEST

START_TEST(in_large_tables_nothing_scans)
{
    add_finished(3000);
    add_waiting(3000);
    log_operations(1);
    log_operations(BATCH);
    expect_no_scans();
}
END_TEST

START_TEST(a_claim_is_one_range_of_the_primary_key)
{
    struct db_rows rows;
    bool found = false;

    add_waiting(3000);
    log_statements();
    run(pulling(BATCH));
    read_log();
    for (size_t i = 0; i < logged_count; i++) {
        if (!mentions(*logged[i], "FROM xqueue_ready FORCE"))
            continue;
        found = true;
        ck_assert_int_eq(
            db_query(other_db, arena,
                     arena_printf(arena, "EXPLAIN FORMAT=TRADITIONAL %.*s",
                                  TEXT_ARGUMENTS(*logged[i])),
                     NULL, 0, &rows),
            DB_OK);
        ck_assert_uint_eq(rows.count, 1);
        /* MySQL takes a range without a lower end for what it is. */
        ck_assert(text_equal_string(read_plan(&rows, 0).type, "range") ||
                  text_equal_string(read_plan(&rows, 0).type, "ref"));
        ck_assert(!mentions(read_plan(&rows, 0).extra, "filesort"));
        ck_assert(!mentions(read_plan(&rows, 0).extra, "temporary"));
    }
    ck_assert(found);
}
END_TEST

/* --- rows examined ---------------------------------------------------- */

static int64_t reads_of(struct jobs jobs)
{
    return reads_of_batch(jobs.list, jobs.count);
}

START_TEST(a_pull_reads_no_more_rows_from_a_long_queue)
{
    int64_t few;

    add_waiting(10);
    run(pulling(1));
    few = reads_of(pulling(1));
    add_finished(50000);
    add_waiting(20000);
    ck_assert_int_eq(reads_of(pulling(1)), few);
    /*
     * The ready row to claim it; the wide and the live row to load it; the
     * live row to lease it, and once more for the end of the list it stands
     * in twice; the ready row to delete it.
     */
    ck_assert_int_eq(few, 6);
}
END_TEST

START_TEST(a_full_batch_reads_a_few_rows_for_each)
{
    add_finished(3000);
    add_waiting(3000);
    run(pulling(BATCH));
    /* And the list to delete by, written and read. */
    ck_assert_int_le(reads_of(pulling(BATCH)), 9 * BATCH);
}
END_TEST

START_TEST(a_submit_reads_no_more_rows_beside_a_long_queue)
{
    int64_t few;

    add_waiting(10);
    run(submitting(1));
    few = reads_of(submitting(1));
    add_finished(50000);
    add_waiting(20000);
    run(submitting(1));
    /* Among few rows it may scan for earlier ones: it only looks. */
    ck_assert_int_le(reads_of(submitting(1)), few);
}
END_TEST

/* Forty days of finished ones, a thousand each, in the order of their ids. */
static void add_days(void)
{
    mariadb_run("INSERT INTO queue_submission (requester_id, lms_callback_url,"
                " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
                " arrival_time, xqueue_arrival_day, grader_id, pullkey,"
                " grader_reply, num_failures, lms_ack, retired)"
                " SELECT 'lms', CONCAT('u', n), 'queue', '7:h', 'body', '{}',"
                " '{}', NOW(6), DATE'2026-01-01' + INTERVAL n DIV 1000 DAY,"
                " 'g', 'key', 'reply', 0, 1, 1 FROM " MARIADB_NUMBERS,
                40000);
    mariadb_run("ANALYZE TABLE queue_submission");
}

START_TEST(looking_for_a_callback_address_reads_a_few_rows_of_each_day)
{
    struct submission_insert like = insert_of("7:p");
    struct submission_known known = {
        .job.op = &submission_known_op,
        .queue_name = like.queue_name,
        .callback_url = like.callback_url,
        .header = like.header,
    };
    struct db_job *jobs[] = {&known.job};

    add_days();
    run(submitting(1));
    ck_assert_int_le(reads_of_batch(jobs, 1), 6 * 42);
}
END_TEST

/* --- locks ------------------------------------------------------------ */

static void *run_elsewhere(void *context)
{
    struct jobs *jobs = context;

    db_thread_start();
    run_batch(db, jobs->list, jobs->count);
    db_thread_stop();
    return NULL;
}

/*
 * The whole of a pull but its COMMIT: it comes to the counter of its slot,
 * its last row, and waits there.
 */
static pthread_t begin_pull(struct jobs *jobs)
{
    pthread_t thread;

    mariadb_run("INSERT INTO xqueue_depth VALUES (1, 1, 0)");
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db,
                                     "UPDATE xqueue_depth SET waiting = 0"
                                     " WHERE queue_id = 1 AND slot = 1"),
                     DB_OK);
    pthread_create(&thread, NULL, run_elsewhere, jobs);
    wait_for_waiting_locks(1);
    return thread;
}

static void end_pull(pthread_t thread, const struct jobs *jobs)
{
    ck_assert_int_eq(db_execute_text(other_db, "COMMIT"), DB_OK);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < jobs->count; i++)
        ck_assert_int_eq(jobs->list[i]->status, DB_OK);
}

/*
 * For each submission handed out its rows in xqueue_ready, xqueue_live and
 * queue_submission; and the depth counter.
 */
static void expect_locks(size_t count, const char *locks)
{
    struct jobs jobs = pulling(count);
    pthread_t thread;

    add_waiting(2000);
    thread = begin_pull(&jobs);
    ck_assert_str_eq(rows_locked_by(db), locks);
    end_pull(thread, &jobs);
}

START_TEST(a_pull_of_one_keeps_four_rows_locked)
{
    expect_locks(1, "4");
}
END_TEST

START_TEST(a_pull_of_sixteen_keeps_49_rows_locked)
{
    expect_locks(16, "49");
}
END_TEST

START_TEST(all_that_a_pull_does_not_hand_out_is_free)
{
    struct jobs jobs = pulling(BATCH);
    struct submission_insert next = insert_of("7:new");
    struct submission_pull theirs = pull_of();
    struct db_conn *third = db_conn_new(database);
    struct db_rows rows;
    pthread_t thread;

    db_conn_set_slot(third, 3);
    add_waiting(20);
    thread = begin_pull(&jobs);
    ck_assert_int_eq(db_query(third, arena,
                              "SELECT id FROM xqueue_ready"
                              " WHERE queue_id = 1 FOR UPDATE SKIP LOCKED",
                              NULL, 0, &rows),
                     DB_OK);
    ck_assert_uint_eq(rows.count, 4);
    ck_assert_int_eq(db_query(third, arena,
                              "SELECT id FROM xqueue_live"
                              " FOR UPDATE SKIP LOCKED",
                              NULL, 0, &rows),
                     DB_OK);
    ck_assert_uint_eq(rows.count, 4);
    /* Others submit and pull meanwhile. */
    ck_assert_int_eq(db_run(third, &next.job), DB_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(db_run(third, &theirs.job), DB_OK);
    ck_assert_int_eq(theirs.id, next.id);
    ck_assert_int_eq(db_run(third, &theirs.job), DB_NOT_FOUND);
    db_conn_free(third);
    end_pull(thread, &jobs);
}
END_TEST

HOT_STORY("plans", TELL(one_at_a_time_in_small_tables_nothing_scans),
          TELL(in_batches_in_small_tables_nothing_scans),
          TELL(in_large_tables_nothing_scans),
          TELL(a_claim_is_one_range_of_the_primary_key),
          TELL(a_pull_reads_no_more_rows_from_a_long_queue),
          TELL(a_full_batch_reads_a_few_rows_for_each),
          TELL(a_submit_reads_no_more_rows_beside_a_long_queue),
          TELL(looking_for_a_callback_address_reads_a_few_rows_of_each_day),
          TELL(a_pull_of_one_keeps_four_rows_locked),
          TELL(a_pull_of_sixteen_keeps_49_rows_locked),
          TELL(all_that_a_pull_does_not_hand_out_is_free))

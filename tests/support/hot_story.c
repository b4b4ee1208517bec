/*
 * Tests of the hot set.
 */
#include "tests/support/hot_story.h"

#include "server/base/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE_US = 60000000 };

struct db_conn *other_db;

static void compose_request(struct push_claim *self, struct push_item *item);
static void expect_true_depth(void);
static int64_t reads_so_far(void);

void hot_story_begin(void)
{
    conn_story_begin();
    db_conn_set_slot(db, 1);
    other_db = db_conn_new(database);
    db_conn_set_slot(other_db, 2);
    mariadb_run("INSERT INTO xqueue_queue (id, name) VALUES"
                " (1, 'queue'), (2, 'other queue')");
}

void hot_story_end(void)
{
    expect_true_depth();
    db_conn_free(other_db);
    conn_story_end();
}

static void expect_true_depth(void)
{
    ck_assert_value(
        "0", "SELECT COUNT(*) FROM (SELECT queue_id, SUM(waiting) AS waiting"
             " FROM xqueue_depth GROUP BY queue_id) d"
             " LEFT JOIN (SELECT queue_id, COUNT(*) AS waiting"
             " FROM xqueue_ready GROUP BY queue_id) r USING (queue_id)"
             " WHERE d.waiting <> COALESCE(r.waiting, 0)");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready WHERE queue_id"
                         " NOT IN (SELECT queue_id FROM xqueue_depth)");
    /* What waits is in both tables. */
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live l"
                         " LEFT JOIN xqueue_ready r ON r.id = l.id"
                         " AND r.queue_id = l.queue_id"
                         " AND r.arrival_us = l.arrival_us"
                         " WHERE (l.state = 0) <> (r.id IS NOT NULL)");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready WHERE id NOT IN"
                         " (SELECT id FROM xqueue_live)");
}

bool hot_identify(struct text header, unsigned char ret_problem[PROBLEM_SIZE],
                  int64_t *ret_destination)
{
    unsigned char digest[SHA256_SIZE];
    const char *colon = memchr(header.data, ':', header.size);

    if (colon == NULL)
        return false;
    crypto_sha256(header, digest);
    memcpy(ret_problem, digest, PROBLEM_SIZE);
    *ret_destination = strtoll(header.data, NULL, 10);
    return true;
}

struct submission_insert insert_of(const char *header)
{
    struct submission_insert self = {
        .job.op = &submission_insert_op,
        .queue_id = QUEUE,
        .queue_name = text_of("queue"),
        .requester_id = text_of("lms"),
        .callback_url = text_of(header),
        .header = text_of(header),
        .body = text_of("body"),
    };

    ck_assert(hot_identify(self.header, self.problem, &self.destination));
    return self;
}

int64_t submit(const char *header)
{
    struct submission_insert self = insert_of(header);

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self.id;
}

struct submission_pull pull_of(void)
{
    return (struct submission_pull){
        .job.op = &submission_pull_op,
        .arena = arena,
        .queue_id = QUEUE,
        .grader_id = text_of("grader"),
        .lease_us = MINUTE_US,
    };
}

struct submission_pull pull(void)
{
    struct submission_pull self = pull_of();

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self;
}

struct submission_answer answer_of(int64_t id, const char *pullkey,
                                   const char *reply)
{
    return (struct submission_answer){
        .job.op = &submission_answer_op,
        .id = id,
        .pullkey = text_of(pullkey),
        .reply = text_of(reply),
        .identify = hot_identify,
    };
}

enum db_status answer(const struct submission_pull *pulled, const char *reply)
{
    struct submission_answer self =
        answer_of(pulled->id, pulled->pullkey, reply);

    return db_run(db, &self.job);
}

struct queue_look queue_look_of(const int64_t *queue_ids, size_t count,
                                bool *ret_waiting)
{
    return (struct queue_look){
        .job.op = &queue_look_op,
        .queue_ids = queue_ids,
        .count = count,
        .ret_waiting = ret_waiting,
    };
}

struct push_claim push_claim_of(size_t concurrency)
{
    return (struct push_claim){
        .job.op = &push_claim_op,
        .arena = arena,
        .queue_id = QUEUE,
        .grader_id = text_of("http://grader"),
        .limit = concurrency,
        .concurrency = concurrency,
        .lease_us = MINUTE_US,
        .compose = compose_request,
    };
}

static void compose_request(struct push_claim *self, struct push_item *item)
{
    item->request =
        text_of(arena_printf(self->arena, "request %lld", (long long)item->id));
}

struct push_claim push_claim(size_t concurrency, size_t count)
{
    struct push_claim self = push_claim_of(concurrency);

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.count, count);
    return self;
}

struct push_end push_end_of(const struct push_item *item,
                            enum push_outcome outcome, const char *reply)
{
    struct push_end self = {
        .job.op = &push_end_op,
        .queue_id = QUEUE,
        .id = item->id,
        .place = item->place,
        .pushed_us = item->pushed_us,
        .grader_id = text_of("http://grader"),
        .outcome = outcome,
        .reply = text_of(reply),
    };

    memcpy(self.pullkey, item->pullkey, sizeof self.pullkey);
    return self;
}

enum db_status push_end(const struct push_item *item, enum push_outcome outcome,
                        const char *reply)
{
    struct push_end self = push_end_of(item, outcome, reply);

    return db_run(db, &self.job);
}

struct leases_expire sweep_of(void)
{
    return (struct leases_expire){
        .job.op = &leases_expire_op,
        .max_attempts = 3,
        .failure = text_of("failure"),
    };
}

void expire(void)
{
    struct leases_expire self = sweep_of();

    mariadb_run("UPDATE xqueue_live SET expires_us = 1"
                " WHERE expires_us IS NOT NULL");
    mariadb_run("UPDATE xqueue_push SET expires_us = 1");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
}

struct outbox_claim claim_of(int64_t destination, int owner)
{
    struct outbox_claim self = {
        .job.op = &outbox_claim_op,
        .arena = arena,
        .destination = destination,
        .limit = 100,
        .lease_us = MINUTE_US,
    };

    memset(self.owner, owner, OWNER_SIZE);
    return self;
}

struct outbox_claim claim(int64_t destination, int owner)
{
    struct outbox_claim self = claim_of(destination, owner);

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self;
}

struct outbox_record record_of(const struct outbox_claim *claimed, size_t item,
                               enum outbox_outcome outcome)
{
    struct outbox_record self = {
        .job.op = &outbox_record_op,
        .outcome = outcome,
        .retry_us = MINUTE_US,
    };

    ck_assert_uint_lt(item, claimed->count);
    self.seq = claimed->items[item].seq;
    self.id = claimed->items[item].id;
    memcpy(self.owner, claimed->owner, OWNER_SIZE);
    return self;
}

void record(const struct outbox_claim *claimed, size_t item,
            enum outbox_outcome outcome)
{
    struct outbox_record self = record_of(claimed, item, outcome);

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
}

struct submission_pull finish_next(void)
{
    struct submission_pull pulled = pull();
    struct outbox_claim claimed;

    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    claimed = claim(7, 99);
    ck_assert_uint_eq(claimed.count, 1);
    record(&claimed, 0, OUTBOX_DELIVERED);
    return pulled;
}

const char *live_state(int64_t id)
{
    return mariadb_value("SELECT state FROM xqueue_live WHERE id = %lld",
                         (long long)id);
}

const char *wide(const char *columns, int64_t id)
{
    return mariadb_value("SELECT CONCAT_WS(' ', %s) FROM queue_submission"
                         " WHERE id = %lld",
                         columns, (long long)id);
}

void add_finished(int count)
{
    mariadb_run(
        "INSERT INTO queue_submission (requester_id, lms_callback_url,"
        " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
        " arrival_time, pull_time, return_time, grader_id, pullkey,"
        " grader_reply, num_failures, lms_ack, retired)"
        " SELECT 'lms', CONCAT('u', n), 'queue', '7:h', 'body', '{}', '{}',"
        " NOW(6), NOW(6), NOW(6), 'g', 'key', 'reply', 0, 1, 1"
        " FROM " MARIADB_NUMBERS,
        count);
}

void add_waiting(int count)
{
    const char *before =
        mariadb_value("SELECT COALESCE(MAX(id), 0) FROM queue_submission");

    mariadb_run(
        "INSERT INTO queue_submission (requester_id, lms_callback_url,"
        " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
        " arrival_time, grader_id, pullkey, grader_reply, num_failures,"
        " lms_ack, retired)"
        " SELECT 'lms', CONCAT('u', n), 'queue', '7:h', 'body', '{}', '{}',"
        " NOW(6), '', '', '', 0, 0, 0 FROM " MARIADB_NUMBERS,
        count);
    mariadb_run(
        "INSERT INTO xqueue_live (id, queue_id, arrival_us, state,"
        " attempts, problem, destination, pullkey, grader_id)"
        " SELECT id, 1, id, 0, 0, UNHEX(LEFT(SHA2(id, 256), 32)), 7, '', ''"
        " FROM queue_submission WHERE id > %s",
        before);
    mariadb_run("INSERT INTO xqueue_ready (queue_id, arrival_us, id)"
                " SELECT 1, id, id FROM queue_submission WHERE id > %s",
                before);
    mariadb_run("INSERT INTO xqueue_depth (queue_id, slot, waiting)"
                " VALUES (1, 0, %d)"
                " ON DUPLICATE KEY UPDATE waiting = waiting + %d",
                count, count);
}

int64_t reads_of_batch(struct db_job **jobs, size_t count)
{
    /* Asking costs some reads, too. */
    int64_t first = reads_so_far();
    int64_t before = reads_so_far();

    ck_assert_int_eq(run_batch(db, jobs, count), DB_OK);
    return reads_so_far() - before - (before - first);
}

static int64_t reads_so_far(void)
{
    struct db_rows rows;

    ck_assert_int_eq(
        db_query(db, arena,
                 arena_printf(arena,
                              "SELECT CAST(SUM(VARIABLE_VALUE) AS SIGNED)"
                              " FROM %s WHERE VARIABLE_NAME"
                              " LIKE 'Handler_read%%'",
                              mariadb_session_status()),
                 NULL, 0, &rows),
        DB_OK);
    return db_integer(&rows, 0, 0);
}

const char *rows_locked_by(struct db_conn *conn)
{
    long long id = (long long)db_conn_id(conn);

    if (mariadb_is_mysql())
        return mariadb_value(
            "SELECT COUNT(*) FROM performance_schema.data_locks l"
            " JOIN information_schema.INNODB_TRX t"
            " ON t.trx_id = l.ENGINE_TRANSACTION_ID"
            " WHERE t.trx_mysql_thread_id = %lld AND l.LOCK_TYPE = 'RECORD'",
            id);
    return mariadb_value("SELECT trx_rows_locked"
                         " FROM information_schema.INNODB_TRX"
                         " WHERE trx_mysql_thread_id = %lld",
                         id);
}

void wait_for_waiting_locks(int count)
{
    const char *expected = arena_printf(arena, "%d", count);

    if (mariadb_is_mysql()) {
        mariadb_wait_for_value(expected,
                               "SELECT COUNT(DISTINCT w.REQUESTING_THREAD_ID)"
                               " FROM performance_schema.data_lock_waits w"
                               " JOIN performance_schema.threads t"
                               " ON t.THREAD_ID = w.REQUESTING_THREAD_ID"
                               " WHERE t.PROCESSLIST_DB = DATABASE()");
        return;
    }
    /* MariaDB does not say whose they are. */
    mariadb_wait_for_value(expected,
                           "SELECT VARIABLE_VALUE FROM %s WHERE"
                           " VARIABLE_NAME = 'Innodb_row_lock_current_waits'",
                           mariadb_global_status());
}

enum db_status run_batch(struct db_conn *conn, struct db_job **jobs,
                         size_t count)
{
    for (size_t i = 0; i < count; i++)
        jobs[i]->status = DB_OK;
    return jobs[0]->op->run_batch(conn, jobs, count);
}

/*
 * Submissions made by SQL.
 */
#include "tests/bench/support/seeds.h"

#include "server/base/compiler.h"
#include "tests/support/mariadb.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 250000, SPACING_US = 1000 };

/* Indexes of queue_submission, beside the primary key. */
static const struct {
    const char *name;
    const char *columns;
} indexes[] = {
    {"queue_submission_retired_6195dcbb", "retired"},
    {"queue_submi_queue_n_9fcfbd_idx",
     "queue_name, retired, pull_time, arrival_time"},
    {"queue_submi_queue_n_4c6cd5_idx",
     "queue_name, retired, push_time, arrival_time"},
    {"xqueue_arrival_day_idx", "xqueue_arrival_day, lms_callback_url"},
};

static size_t count_of(const char *sql);
static void insert_waiting(const char *queue, size_t count, size_t body_bytes);
static void age_finished(void);
static void insert_history(size_t first, size_t count, const char *origin);
static bool has_index(const char *name);

int64_t seed_queue(const char *name)
{
    mariadb_run("INSERT IGNORE INTO xqueue_queue (name) VALUES ('%s')", name);
    return strtoll(
        mariadb_value("SELECT id FROM xqueue_queue WHERE name = '%s'", name),
        NULL, 10);
}

void seed_waiting(const char *queue, size_t count, size_t body_bytes)
{
    while (count > 0) {
        size_t some = count < AT_ONCE ? count : AT_ONCE;

        insert_waiting(queue, some, body_bytes);
        count -= some;
    }
}

void seed_waiting_up_to(const char *queue, size_t depth, size_t body_bytes)
{
    const char *waiting = mariadb_value(
        "SELECT COALESCE(SUM(waiting), 0) FROM xqueue_depth WHERE queue_id ="
        " %lld",
        (long long)seed_queue(queue));
    size_t there = strtoull(waiting, NULL, 10);

    if (there < depth)
        seed_waiting(queue, depth - there, body_bytes);
}

void seed_history(size_t count, const char *origin)
{
    bool was_there[ARRAY_LENGTH(indexes)];
    size_t there = count_of("SELECT COUNT(*) FROM queue_submission");

    for (size_t i = 0; i < ARRAY_LENGTH(indexes); i++) {
        was_there[i] = has_index(indexes[i].name);
        if (was_there[i])
            mariadb_run("ALTER TABLE queue_submission DROP INDEX %s",
                        indexes[i].name);
    }
    age_finished();
    while (there < count) {
        size_t some = count - there < AT_ONCE ? count - there : AT_ONCE;

        insert_history(there, some, origin);
        there += some;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(indexes); i++) {
        if (was_there[i])
            mariadb_run("ALTER TABLE queue_submission ADD INDEX %s (%s)",
                        indexes[i].name, indexes[i].columns);
    }
}

static size_t count_of(const char *sql)
{
    return strtoull(mariadb_value("%s", sql), NULL, 10);
}

/* Into all tables that hold a submission which waits. */
static void insert_waiting(const char *queue, size_t count, size_t body_bytes)
{
    long long number = (long long)seed_queue(queue);
    unsigned long long before =
        count_of("SELECT COALESCE(MAX(id), 0) FROM queue_submission");

    mariadb_run(
        "INSERT INTO queue_submission (requester_id, lms_callback_url,"
        " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
        " arrival_time, xqueue_arrival_day, grader_id, pullkey, grader_reply,"
        " num_failures, lms_ack, retired)"
        " SELECT 'lms', CONCAT('http://127.0.0.1:1/',"
        " %llu + n), '%s', CONCAT('{\"lms_callback_url\":"
        " \"http://127.0.0.1:1/', %llu + n, '\"}'), REPEAT('b', %zu), '', '',"
        " UTC_TIMESTAMP(6) - INTERVAL (%zu - n) * %d MICROSECOND,"
        " UTC_DATE(), '', '', '', 0, 0, 0 FROM " MARIADB_NUMBERS,
        before, queue, before, body_bytes, count, SPACING_US, (int)count);
    mariadb_run(
        "INSERT INTO xqueue_live (id, queue_id, arrival_us, state, attempts,"
        " problem, destination, pullkey, grader_id)"
        " SELECT id, %lld, TIMESTAMPDIFF(MICROSECOND,"
        " TIMESTAMP'1970-01-01 00:00:00', arrival_time), 0, 0,"
        " UNHEX(LPAD(HEX(id), 32, '0')), 7, '', '' FROM queue_submission"
        " WHERE id > %llu",
        number, before);
    mariadb_run("INSERT INTO xqueue_ready (queue_id, arrival_us, id)"
                " SELECT queue_id, arrival_us, id FROM xqueue_live"
                " WHERE id > %llu",
                before);
    mariadb_run("INSERT INTO xqueue_depth (queue_id, slot, waiting)"
                " VALUES (%lld, 0, %zu)"
                " ON DUPLICATE KEY UPDATE waiting = waiting + %zu",
                number, count, count);
}

/* The day before the first one of insert_history(). */
static void age_finished(void)
{
    mariadb_run("UPDATE queue_submission SET"
                " arrival_time = TIMESTAMP'2021-12-31 00:00:00',"
                " xqueue_arrival_day = DATE'2021-12-31'"
                " WHERE retired = 1 AND xqueue_arrival_day >="
                " UTC_DATE() - INTERVAL 1 DAY");
}

static void insert_history(size_t first, size_t count, const char *origin)
{
    mariadb_run(
        "INSERT INTO queue_submission (requester_id, lms_callback_url,"
        " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
        " arrival_time, xqueue_arrival_day, pull_time, return_time, grader_id,"
        " pullkey, grader_reply, num_failures, lms_ack, retired)"
        " SELECT 'lms', CONCAT('%s/', CRC32(%zu + n) & 0xffffff),"
        " 'bench', '{}', 'body', '', '', past, DATE(past), past, past,"
        " 'grader', 'key', 'reply', 0, 1, 1"
        " FROM (SELECT n, TIMESTAMP'2022-01-01 00:00:00'"
        " + INTERVAL (%zu + n) * 10 SECOND AS past FROM " MARIADB_NUMBERS
        ") rows_of_the_past",
        origin, first, first, (int)count);
}

static bool has_index(const char *name)
{
    return strcmp(mariadb_value("SELECT COUNT(*)"
                                " FROM information_schema.STATISTICS"
                                " WHERE TABLE_SCHEMA = DATABASE()"
                                " AND TABLE_NAME = 'queue_submission'"
                                " AND INDEX_NAME = '%s'",
                                name),
                  "0") != 0;
}

/*
 * db/adopt.c, db/adopt_join.c
 *
 * The fixture is the database of a Django XQueue: submissions 1, 3 and 4 are
 * retired; 2 is answered, but the LMS has not acknowledged; 6 was pulled from
 * "open-ended"; 5 waits in "certificates", 7 to 10 in "test-pull", 11 in
 * "push".
 */
#include "db/adopt.h"

#include "server/base/crypto.h"
#include "tests/support/mariadb.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_US (INT64_C(100) * 365 * 86400 * 1000000)

static const struct db_settings *settings;
static struct db_conn *db;

static void set_up(void)
{
    db_library_start();
    settings = mariadb_empty_database();
    mariadb_load("tests/fixtures/django-xqueue.sql");
    mariadb_load("migrations/0002_widen.sql");
    mariadb_load("migrations/0003_hot_set.sql");
    db = db_conn_new(settings);
}

static void tear_down(void)
{
    db_conn_free(db);
    db_library_stop();
}

/* The URL as it stands between quotes; a header without one is unknown. */
static bool identify(struct text header,
                     unsigned char ret_problem[PROBLEM_SIZE],
                     int64_t *ret_destination)
{
    static const char key[] = "\"lms_callback_url\": \"";
    unsigned char digest[SHA256_SIZE];
    const char *start = strstr(header.data, key);
    const char *end;

    if (start == NULL)
        return false;
    start += sizeof key - 1;
    end = strchr(start, '"');
    crypto_sha256((struct text){start, (size_t)(end - start)}, digest);
    memcpy(ret_problem, digest, PROBLEM_SIZE);
    *ret_destination = 42;
    return true;
}

static struct adopt_counts adopt(int64_t lease_us)
{
    const struct adopt_settings how = {.identify = identify,
                                       .lease_us = lease_us};
    struct adopt_counts counts;
    enum db_status status = adopt_all(db, &how, &counts);

    ck_assert_msg(status == DB_OK, "%s: %s", db_status_name(status),
                  db_conn_error(db));
    return counts;
}

static void ck_assert_changed_nothing(const struct adopt_counts *counts)
{
    static const struct adopt_counts nothing;

    ck_assert_mem_eq(counts, &nothing, sizeof nothing);
}

/* The counters and the ready rows say what the live rows say. */
static void ck_assert_consistent(void)
{
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live l LEFT JOIN"
                         " xqueue_ready r ON r.id = l.id AND"
                         " r.queue_id = l.queue_id AND"
                         " r.arrival_us = l.arrival_us"
                         " WHERE (l.state = 0) <> (r.id IS NOT NULL)");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready"
                         " WHERE id NOT IN (SELECT id FROM xqueue_live)");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_queue q WHERE"
                         " (SELECT COALESCE(SUM(waiting), 0) FROM xqueue_depth"
                         " WHERE queue_id = q.id) <> (SELECT COUNT(*) FROM"
                         " xqueue_ready WHERE queue_id = q.id)");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live WHERE state = 2 AND"
                         " id NOT IN (SELECT id FROM xqueue_outbox)");
}

static void copy_submission(int from, int to, const char *changes)
{
    mariadb_run("INSERT INTO queue_submission SELECT %d, requester_id,"
                " lms_callback_url, queue_name, xqueue_header, xqueue_body,"
                " s3_keys, s3_urls, arrival_time, pull_time, push_time,"
                " return_time, grader_id, pullkey, grader_reply, num_failures,"
                " lms_ack, retired FROM queue_submission WHERE id = %d",
                to, from);
    if (changes != NULL)
        mariadb_run("UPDATE queue_submission SET %s WHERE id = %d", changes,
                    to);
}

START_TEST(every_open_submission_joins_as_what_it_is)
{
    struct adopt_counts counts = adopt(LONG_US);

    ck_assert_int_eq(counts.waiting, 6);
    ck_assert_int_eq(counts.leased, 1);
    ck_assert_int_eq(counts.answered, 1);
    ck_assert_int_eq(counts.finished, 0);
    ck_assert_int_eq(counts.left, 0);
    ck_assert_int_eq(counts.unknown, 0);
    ck_assert_value("2:2 5:0 6:1 7:0 8:0 9:0 10:0 11:0",
                    "SELECT GROUP_CONCAT(id, ':', state ORDER BY id SEPARATOR"
                    " ' ') FROM xqueue_live");
    ck_assert_consistent();
}
END_TEST

START_TEST(queues_get_their_names_and_lengths)
{
    adopt(LONG_US);
    ck_assert_value("certificates:1 push:1 test-pull:4",
                    "SELECT GROUP_CONCAT(name, ':', waiting ORDER BY name"
                    " SEPARATOR ' ') FROM xqueue_queue JOIN xqueue_depth"
                    " ON queue_id = id");
    ck_assert_value("open-ended", "SELECT name FROM xqueue_queue JOIN"
                                  " xqueue_live l ON l.queue_id ="
                                  " xqueue_queue.id WHERE l.id = 6");
}
END_TEST

START_TEST(times_and_keys_are_kept_to_the_microsecond)
{
    adopt(LONG_US);
    ck_assert_value("1795416654620395", "SELECT arrival_us FROM xqueue_live"
                                        " WHERE id = 6");
    ck_assert_value("1795416654627317", "SELECT pulled_us FROM xqueue_live"
                                        " WHERE id = 6");
    ck_assert_value("1",
                    "SELECT expires_us = pulled_us + %lld FROM"
                    " xqueue_live WHERE id = 6",
                    (long long)LONG_US);
    ck_assert_value("c6a8f5374a5fe97bd03e039c26056002 127.0.0.1 1",
                    "SELECT CONCAT_WS(' ', pullkey, grader_id, attempts) FROM"
                    " xqueue_live WHERE id = 6");
    ck_assert_value("2026-11-23 06:50:54.620395",
                    "SELECT arrival_time FROM queue_submission WHERE id = 6");
}
END_TEST

START_TEST(a_lease_that_is_over_waits_and_keeps_its_key)
{
    mariadb_run("UPDATE queue_submission SET pull_time ="
                " UTC_TIMESTAMP(6) - INTERVAL 61 SECOND WHERE id = 6");
    ck_assert_int_eq(adopt(60 * 1000000).leased, 0);
    ck_assert_value("0 c6a8f5374a5fe97bd03e039c26056002 NULL",
                    "SELECT CONCAT_WS(' ', state, pullkey,"
                    " COALESCE(expires_us, 'NULL')) FROM xqueue_live"
                    " WHERE id = 6");
    ck_assert_consistent();
}
END_TEST

START_TEST(a_result_that_has_not_arrived_is_delivered_and_not_graded_again)
{
    adopt(1);
    ck_assert_value("2 42 0 NULL",
                    "SELECT CONCAT_WS(' ', id, destination, kind,"
                    " COALESCE(reply, 'NULL')) FROM xqueue_outbox");
    ck_assert_value("1", "SELECT due_us <= CAST(UNIX_TIMESTAMP(NOW(6)) *"
                         " 1000000 AS SIGNED) FROM xqueue_outbox");
}
END_TEST

START_TEST(a_second_run_finds_nothing_to_do)
{
    struct adopt_counts counts;

    adopt(LONG_US);
    counts = adopt(LONG_US);
    ck_assert_changed_nothing(&counts);
    ck_assert_value("8", "SELECT COUNT(*) FROM xqueue_live");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_consistent();
}
END_TEST

START_TEST(queue_submission_itself_is_not_touched)
{
    const char *before = mariadb_value(
        "SELECT SUM(CRC32(CONCAT_WS('|', id, lms_callback_url, queue_name,"
        " xqueue_header, xqueue_body, arrival_time, pull_time, return_time,"
        " grader_id, pullkey, grader_reply, num_failures, lms_ack, retired)))"
        " FROM queue_submission");

    adopt(LONG_US);
    ck_assert_str_eq(
        before,
        mariadb_value(
            "SELECT SUM(CRC32(CONCAT_WS('|', id, lms_callback_url, queue_name,"
            " xqueue_header, xqueue_body, arrival_time, pull_time,"
            " return_time, grader_id, pullkey, grader_reply, num_failures,"
            " lms_ack, retired))) FROM queue_submission"));
}
END_TEST

START_TEST(of_two_of_one_problem_the_newer_one_is_it)
{
    copy_submission(7, 20, NULL);
    adopt(LONG_US);
    ck_assert_value("7", "SELECT id FROM xqueue_live WHERE problem IS NULL");
    ck_assert_value("9", "SELECT COUNT(*) FROM xqueue_live");
    /* And one that comes later takes it from the one that has it. */
    copy_submission(7, 21, NULL);
    ck_assert_int_eq(adopt(LONG_US).waiting, 1);
    ck_assert_value("7,20", "SELECT GROUP_CONCAT(id ORDER BY id) FROM"
                            " xqueue_live WHERE problem IS NULL");
    /* One that is older than the one that has it does not. */
    copy_submission(7, 15, NULL);
    ck_assert_int_eq(adopt(LONG_US).waiting, 1);
    ck_assert_value("7,15,20", "SELECT GROUP_CONCAT(id ORDER BY id) FROM"
                               " xqueue_live WHERE problem IS NULL");
    ck_assert_consistent();
}
END_TEST

START_TEST(a_header_that_names_no_callback_is_counted_and_waits)
{
    struct adopt_counts counts;

    mariadb_run("UPDATE queue_submission SET xqueue_header = 'nonsense'"
                " WHERE id = 7");
    counts = adopt(LONG_US);
    ck_assert_int_eq(counts.unknown, 1);
    ck_assert_int_eq(counts.waiting, 6);
    ck_assert_value("0", "SELECT destination FROM xqueue_live WHERE id = 7");
}
END_TEST

START_TEST(a_strange_key_does_not_stop_the_others)
{
    mariadb_run("UPDATE queue_submission SET pullkey = 'cl\xc3\xa9' WHERE"
                " id = 6");
    ck_assert_int_eq(adopt(LONG_US).leased, 1);
    ck_assert_value("", "SELECT pullkey FROM xqueue_live WHERE id = 6");
}
END_TEST

START_TEST(one_that_the_lms_has_acknowledged_is_retired_at_last)
{
    mariadb_run("UPDATE queue_submission SET lms_ack = 1 WHERE id = 2");
    ck_assert_int_eq(adopt(LONG_US).finished, 1);
    ck_assert_value("1", "SELECT retired FROM queue_submission WHERE id = 2");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live WHERE id = 2");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(rows_of_submissions_that_are_gone_or_retired_leave)
{
    adopt(LONG_US);
    mariadb_run("DELETE FROM queue_submission WHERE id = 8");
    mariadb_run(
        "UPDATE queue_submission SET retired = 1 WHERE id IN (2, 6, 9)");
    ck_assert_int_eq(adopt(LONG_US).left, 4);
    ck_assert_value("5,7,10,11", "SELECT GROUP_CONCAT(id ORDER BY id) FROM"
                                 " xqueue_live");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_consistent();
}
END_TEST

START_TEST(a_superseded_one_that_is_leased_stays)
{
    struct adopt_counts counts;

    adopt(LONG_US);
    mariadb_run("UPDATE xqueue_live SET state = 3, problem = NULL WHERE id ="
                " 6");
    mariadb_run("UPDATE queue_submission SET retired = 1 WHERE id = 6");
    counts = adopt(LONG_US);
    ck_assert_changed_nothing(&counts);
    ck_assert_value("3", "SELECT state FROM xqueue_live WHERE id = 6");
}
END_TEST

START_TEST(a_callback_that_is_on_its_way_is_not_added_again)
{
    mariadb_run("INSERT INTO xqueue_outbox (id, destination, due_us, attempts,"
                " kind, created_us) VALUES (2, 42, 1, 3, 0, 1)");
    ck_assert_int_eq(adopt(LONG_US).answered, 1);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value("3", "SELECT attempts FROM xqueue_outbox");
}
END_TEST

START_TEST(what_django_did_meanwhile_is_taken_over)
{
    struct adopt_counts counts;

    adopt(LONG_US);
    mariadb_run("UPDATE queue_submission SET pull_time = UTC_TIMESTAMP(6),"
                " pullkey = 'newer', grader_id = 'django' WHERE id = 7");
    mariadb_run("UPDATE queue_submission SET pull_time = UTC_TIMESTAMP(6),"
                " pullkey = 'k', return_time = UTC_TIMESTAMP(6), grader_reply ="
                " 'done', num_failures = 1 WHERE id = 8");
    mariadb_run("UPDATE queue_submission SET lms_ack = 1, retired = 1 WHERE"
                " id = 9");
    copy_submission(10, 30,
                    "xqueue_header = '{\"lms_callback_url\": \"new\"}'");
    counts = adopt(LONG_US);
    ck_assert_int_eq(counts.renewed, 2);
    ck_assert_int_eq(counts.leased, 1);
    ck_assert_int_eq(counts.answered, 1);
    ck_assert_int_eq(counts.left, 1);
    ck_assert_int_eq(counts.waiting, 1);
    ck_assert_value("1 newer", "SELECT CONCAT_WS(' ', state, pullkey) FROM"
                               " xqueue_live WHERE id = 7");
    ck_assert_value("2", "SELECT state FROM xqueue_live WHERE id = 8");
    ck_assert_consistent();
}
END_TEST

START_TEST(leases_are_handed_back)
{
    int64_t count = 0;

    adopt(LONG_US);
    mariadb_run("UPDATE xqueue_live SET state = 1, pullkey = 'ours', attempts ="
                " 1, pulled_us = 1795416654999999, expires_us ="
                " 1795416999000000, grader_id = 'w1' WHERE id = 7");
    ck_assert_int_eq(adopt_hand_back(db, &count), DB_OK);
    /* 2 and 6 were pulled before. */
    ck_assert_int_eq(count, 3);
    ck_assert_value("2026-11-23 06:50:54.999999 ours w1",
                    "SELECT CONCAT_WS(' ', pull_time, pullkey, grader_id) FROM"
                    " queue_submission WHERE id = 7");
    ck_assert_value("2026-11-23 06:50:54.627317",
                    "SELECT pull_time FROM queue_submission WHERE id = 6");
    ck_assert_value("NULL",
                    "SELECT pull_time FROM queue_submission WHERE id = 8");
}
END_TEST

/* 11 for the first time; 6 was pulled before. */
START_TEST(a_push_is_left_alone_and_hands_back_nothing)
{
    struct adopt_counts counts;
    int64_t count = 0;

    adopt(1);
    mariadb_run("DELETE FROM xqueue_ready WHERE id IN (6, 11)");
    mariadb_run("UPDATE xqueue_depth SET waiting = waiting - 1 WHERE queue_id"
                " IN (SELECT queue_id FROM xqueue_live WHERE id IN (6, 11))");
    mariadb_run("UPDATE xqueue_live SET state = 1, pullkey = 'secret',"
                " attempts = attempts + 1, expires_us = 4000000000000000,"
                " grader_id = 'http://grader' WHERE id IN (6, 11)");
    counts = adopt(LONG_US);
    ck_assert_changed_nothing(&counts);
    ck_assert_int_eq(adopt_hand_back(db, &count), DB_OK);
    ck_assert_value("1 1 1 ", "SELECT CONCAT_WS(' ', pull_time IS NULL,"
                              " push_time IS NULL, grader_id = '', pullkey)"
                              " FROM queue_submission WHERE id = 11");
    /* When it was pulled stays; the key of that pull is good no more. */
    ck_assert_value("2026-11-23 06:50:54.627317",
                    "SELECT pull_time FROM queue_submission WHERE id = 6");
    ck_assert_consistent();
}
END_TEST

START_TEST(more_than_a_chunk_is_adopted_whole)
{
    mariadb_run("INSERT INTO queue_submission SELECT 1000 + n, 'r', 'u',"
                " CONCAT('q', n MOD 3), CONCAT('{\"lms_callback_url\":"
                " \"http://lms/', n, '\"}'), 'body', '{}', '{}',"
                " UTC_TIMESTAMP(6), NULL, NULL, NULL, '', '', '', 0, 0, 0"
                " FROM " MARIADB_NUMBERS,
                1700);
    ck_assert_int_eq(adopt(LONG_US).waiting, 1706);
    ck_assert_value("1706", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_consistent();
    mariadb_run("UPDATE queue_submission SET retired = 1 WHERE id > 1000");
    ck_assert_int_eq(adopt(LONG_US).left, 1700);
    ck_assert_consistent();
}
END_TEST

START_TEST(several_at_once_adopt_each_submission_once)
{
    enum { COUNT = 3 };
    const struct adopt_settings how = {.identify = identify,
                                       .lease_us = LONG_US};
    pid_t others[COUNT];

    mariadb_run("INSERT INTO queue_submission SELECT 1000 + n, 'r', 'u',"
                " 'q', CONCAT('{\"lms_callback_url\": \"http://lms/',"
                " n MOD 900, '\"}'), 'body', '{}', '{}', UTC_TIMESTAMP(6),"
                " NULL, NULL, NULL, '', '', '', 0, 0, 0 FROM " MARIADB_NUMBERS,
                1200);
    for (int i = 0; i < COUNT; i++) {
        others[i] = fork();
        if (others[i] == 0) {
            struct db_conn *own = db_conn_new(settings);
            struct adopt_counts counts;

            _exit((int)adopt_all(own, &how, &counts));
        }
    }
    for (int i = 0; i < COUNT; i++) {
        int status;

        waitpid(others[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_value("1208", "SELECT COUNT(*) FROM xqueue_live");
    ck_assert_value("908", "SELECT COUNT(problem) FROM xqueue_live");
    ck_assert_consistent();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(every_open_submission_joins_as_what_it_is),
        TELL(queues_get_their_names_and_lengths),
        TELL(times_and_keys_are_kept_to_the_microsecond),
        TELL(a_lease_that_is_over_waits_and_keeps_its_key),
        TELL(a_result_that_has_not_arrived_is_delivered_and_not_graded_again),
        TELL(a_second_run_finds_nothing_to_do),
        TELL(queue_submission_itself_is_not_touched),
        TELL(of_two_of_one_problem_the_newer_one_is_it),
        TELL(a_header_that_names_no_callback_is_counted_and_waits),
        TELL(a_strange_key_does_not_stop_the_others),
        TELL(one_that_the_lms_has_acknowledged_is_retired_at_last),
        TELL(rows_of_submissions_that_are_gone_or_retired_leave),
        TELL(a_superseded_one_that_is_leased_stays),
        TELL(a_callback_that_is_on_its_way_is_not_added_again),
        TELL(what_django_did_meanwhile_is_taken_over),
        TELL(leases_are_handed_back),
        TELL(a_push_is_left_alone_and_hands_back_nothing),
        TELL(more_than_a_chunk_is_adopted_whole),
        TELL(several_at_once_adopt_each_submission_once),
    };
    static const struct story story = {
        .name = "adopt",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = tear_down,
        .timeout_s = 60,
    };
    return story_run(&story);
}

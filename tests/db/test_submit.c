/*
 * db/submit.c
 */
#include "tests/support/hot_story.h"

#include <pthread.h>
#include <string.h>

enum { BATCH = 64 };

/* A batch of these; their jobs in the same order. */
struct inserts {
    struct submission_insert list[BATCH];
    struct db_job *jobs[BATCH];
    size_t count;
};

static void add(struct inserts *inserts, const char *header)
{
    struct submission_insert *self = &inserts->list[inserts->count];

    *self = insert_of(header);
    inserts->jobs[inserts->count++] = &self->job;
}

static void store(struct inserts *inserts)
{
    ck_assert_int_eq(run_batch(db, inserts->jobs, inserts->count), DB_OK);
}

/* What the tables say of it besides queue_submission. */
static const char *traces(int64_t id)
{
    return mariadb_value(
        "SELECT CONCAT((SELECT COUNT(*) FROM xqueue_live WHERE id = %lld),"
        " (SELECT COUNT(*) FROM xqueue_ready WHERE id = %lld),"
        " (SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld))",
        (long long)id, (long long)id, (long long)id);
}

START_TEST(a_submission_is_stored_as_django_would_write_it)
{
    struct submission_insert self = insert_of("7:p");

    self.body = text_of("the body");
    self.callback_url = text_of("https://lms/xqueue/1");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_value("lms|https://lms/xqueue/1|queue|7:p|the body|{}|{}|||0|0|0",
                    "SELECT CONCAT_WS('|', requester_id, lms_callback_url,"
                    " queue_name, xqueue_header, xqueue_body, s3_keys,"
                    " s3_urls, grader_id, pullkey, num_failures, lms_ack,"
                    " retired) FROM queue_submission WHERE id = %lld",
                    (long long)self.id);
    ck_assert_value("1", "SELECT pull_time IS NULL AND push_time IS NULL AND"
                         " return_time IS NULL AND grader_reply = ''"
                         " FROM queue_submission");
}
END_TEST

START_TEST(the_arrival_time_is_now_to_the_microsecond_in_all_tables)
{
    int64_t id = submit("7:p");

    ck_assert_value(
        "1 1 1",
        "SELECT CONCAT_WS(' ', l.arrival_us = r.arrival_us,"
        " l.arrival_us = UNIX_TIMESTAMP(s.arrival_time) * 1000000,"
        " ABS(TIMESTAMPDIFF(SECOND, s.arrival_time, UTC_TIMESTAMP())) < 60)"
        " FROM queue_submission s JOIN xqueue_live l ON l.id = s.id"
        " JOIN xqueue_ready r ON r.id = s.id WHERE s.id = %lld",
        (long long)id);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_live"
                         " WHERE arrival_us %% 1000000 <> 0");
}
END_TEST

START_TEST(the_day_of_arrival_is_stored)
{
    int64_t id = submit("7:p");

    ck_assert_str_eq(wide("xqueue_arrival_day = DATE(arrival_time)", id), "1");
}
END_TEST

START_TEST(the_url_column_keeps_128_characters_of_any_length)
{
    struct submission_insert self = insert_of("7:p");
    char url[4 * 130 + 1] = "";

    for (int i = 0; i < 130; i++)
        memcpy(url + 4 * i, i < 127 ? "\xf0\x9f\x98\x80" : "abcd", 5);
    self.callback_url = text_of(url);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_value("128", "SELECT CHAR_LENGTH(lms_callback_url)"
                           " FROM queue_submission");
    ck_assert_value("509", "SELECT LENGTH(lms_callback_url)"
                           " FROM queue_submission");
}
END_TEST

START_TEST(a_header_of_16_kib_fits)
{
    static char header[16384 + 1];
    struct submission_insert self = insert_of("7:p");

    memset(header, 'h', sizeof header - 1);
    self.header = text_of(header);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_value("16384",
                    "SELECT LENGTH(xqueue_header) FROM queue_submission");
}
END_TEST

START_TEST(any_unicode_and_nul_come_back_byte_by_byte)
{
    struct submission_insert self = insert_of("7:p");
    struct submission_pull pulled;

    self.body = (struct text){"\xf0\x9f\x98\x80 \xc3\xa4\0\r\n'\"\\%", 15};
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    pulled = pull();
    ck_assert(text_equal(pulled.body, self.body));
}
END_TEST

START_TEST(the_number_counts_those_that_wait_and_itself)
{
    struct submission_insert list[] = {insert_of("7:a"), insert_of("7:b"),
                                       insert_of("7:c"), insert_of("7:d")};

    list[2].queue_id = OTHER_QUEUE;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(db_run(i % 2 ? db : other_db, &list[i].job), DB_OK);
    ck_assert_int_eq(list[0].waiting, 1);
    ck_assert_int_eq(list[1].waiting, 2);
    ck_assert_int_eq(list[2].waiting, 1);
    ck_assert_int_eq(list[3].waiting, 3);
}
END_TEST

START_TEST(a_batch_gets_numbers_one_after_the_other_in_each_queue)
{
    struct inserts inserts = {.count = 0};

    submit("7:before");
    add(&inserts, "7:a");
    add(&inserts, "7:b");
    add(&inserts, "7:c");
    add(&inserts, "7:d");
    inserts.list[1].queue_id = OTHER_QUEUE;
    inserts.list[3].queue_id = OTHER_QUEUE;
    store(&inserts);
    ck_assert_int_eq(inserts.list[0].waiting, 2);
    ck_assert_int_eq(inserts.list[1].waiting, 1);
    ck_assert_int_eq(inserts.list[2].waiting, 3);
    ck_assert_int_eq(inserts.list[3].waiting, 2);
}
END_TEST

START_TEST(each_of_a_batch_learns_its_own_id)
{
    struct inserts inserts = {.count = 0};
    const char *bodies[13];

    for (int i = 0; i < 13; i++) {
        bodies[i] = arena_printf(arena, "body %d", i);
        add(&inserts, arena_printf(arena, "7:%d", i));
        inserts.list[i].body = text_of(bodies[i]);
    }
    store(&inserts);
    for (int i = 0; i < 13; i++) {
        ck_assert_str_eq(wide("xqueue_body", inserts.list[i].id), bodies[i]);
        ck_assert_str_eq(traces(inserts.list[i].id), "110");
    }
}
END_TEST

START_TEST(large_ones_of_a_batch_go_in_several_statements)
{
    static char body[700000 + 1];
    struct inserts inserts = {.count = 0};

    memset(body, 'b', sizeof body - 1);
    add(&inserts, "7:a");
    add(&inserts, "7:b");
    add(&inserts, "7:c");
    inserts.list[0].body = text_of(body);
    inserts.list[1].body = text_of(body);
    store(&inserts);
    ck_assert_str_eq(wide("LENGTH(xqueue_body)", inserts.list[0].id), "700000");
    ck_assert_str_eq(wide("LENGTH(xqueue_body)", inserts.list[1].id), "700000");
    ck_assert_str_eq(wide("xqueue_body", inserts.list[2].id), "body");
}
END_TEST

START_TEST(a_full_batch_is_stored)
{
    struct inserts inserts = {.count = 0};

    for (int i = 0; i < BATCH; i++)
        add(&inserts, arena_printf(arena, "7:%d", i));
    store(&inserts);
    ck_assert_int_eq(inserts.list[63].waiting, 64);
    ck_assert_value("64", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

START_TEST(a_waiting_one_is_superseded)
{
    int64_t old = submit("7:p");
    struct submission_insert new = insert_of("7:p");

    ck_assert_int_eq(db_run(db, &new.job), DB_OK);
    ck_assert_int_eq(new.waiting, 1);
    ck_assert_str_eq(traces(old), "000");
    ck_assert_str_eq(wide("retired, lms_ack", old), "1 0");
    ck_assert_str_eq(traces(new.id), "110");
    ck_assert_int_eq(pull().id, new.id);
}
END_TEST

START_TEST(a_superseded_one_leaves_its_own_queue)
{
    int64_t old = submit("7:p");
    struct submission_insert new = insert_of("7:p");

    new.queue_id = OTHER_QUEUE;
    ck_assert_int_eq(db_run(db, &new.job), DB_OK);
    ck_assert_int_eq(new.waiting, 1);
    ck_assert_str_eq(traces(old), "000");
    ck_assert_value("0", "SELECT SUM(waiting) FROM xqueue_depth"
                         " WHERE queue_id = 1");
}
END_TEST

START_TEST(a_leased_one_is_superseded_and_its_key_stays_good)
{
    int64_t old = submit("7:p");
    struct submission_pull pulled = pull();
    int64_t new = submit("7:p");

    ck_assert_str_eq(live_state(old), "3");
    ck_assert_str_eq(wide("retired", old), "1");
    ck_assert_int_eq(pull().id, new);
    ck_assert_int_eq(answer(&pulled, "late"), DB_OK);
    ck_assert_str_eq(wide("grader_reply, retired, lms_ack", old), "late 1 0");
    ck_assert_str_eq(traces(old), "000");
}
END_TEST

START_TEST(one_superseded_while_leased_is_not_superseded_again)
{
    int64_t old = submit("7:p");

    pull();
    submit("7:p");
    submit("7:p");
    ck_assert_str_eq(live_state(old), "3");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

START_TEST(one_that_came_back_is_superseded_and_its_key_stays_good)
{
    int64_t old = submit("7:p");
    struct submission_pull pulled = pull();
    int64_t new;

    expire();
    ck_assert_str_eq(live_state(old), "0");
    new = submit("7:p");
    ck_assert_str_eq(traces(old), "000");
    ck_assert_str_eq(wide("retired, pullkey, grader_id", old),
                     arena_printf(arena, "1 %s grader", pulled.pullkey));
    ck_assert_int_eq(answer(&pulled, "late"), DB_OK);
    ck_assert_str_eq(traces(old), "000");
    ck_assert_int_eq(pull().id, new);
}
END_TEST

START_TEST(an_answered_one_is_superseded_and_its_callback_dropped)
{
    int64_t old = submit("7:p");
    struct submission_pull pulled = pull();

    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    ck_assert_str_eq(traces(old), "101");
    submit("7:p");
    ck_assert_str_eq(traces(old), "000");
    ck_assert_str_eq(wide("retired, lms_ack, grader_reply", old), "1 0 reply");
}
END_TEST

START_TEST(a_dead_one_is_superseded_and_its_failure_message_dropped)
{
    int64_t old = submit("7:p");

    for (int i = 0; i < 3; i++) {
        pull();
        expire();
    }
    ck_assert_str_eq(live_state(old), "4");
    ck_assert_str_eq(traces(old), "101");
    submit("7:p");
    ck_assert_str_eq(traces(old), "000");
    ck_assert_str_eq(wide("retired", old), "1");
}
END_TEST

START_TEST(a_finished_one_stays_as_it_is)
{
    int64_t old = submit("7:p");

    finish_next();
    submit("7:p");
    ck_assert_str_eq(wide("retired, lms_ack, grader_reply", old), "1 1 reply");
}
END_TEST

START_TEST(of_two_about_one_problem_in_a_batch_the_later_one_stays)
{
    struct inserts inserts = {.count = 0};

    add(&inserts, "7:p");
    add(&inserts, "7:q");
    add(&inserts, "7:p");
    store(&inserts);
    ck_assert(inserts.list[0].superseded);
    ck_assert(!inserts.list[1].superseded);
    ck_assert(!inserts.list[2].superseded);
    ck_assert_str_eq(wide("retired", inserts.list[0].id), "1");
    ck_assert_str_eq(traces(inserts.list[0].id), "000");
    ck_assert_str_eq(traces(inserts.list[2].id), "110");
    ck_assert_int_eq(inserts.list[0].waiting, 1);
    ck_assert_int_eq(inserts.list[2].waiting, 2);
    ck_assert_int_eq(pull().id, inserts.list[1].id);
    ck_assert_int_eq(pull().id, inserts.list[2].id);
}
END_TEST

START_TEST(problems_differ_by_the_whole_url_not_by_its_column)
{
    struct submission_insert one = insert_of("7:p1");
    struct submission_insert two = insert_of("7:p2");

    one.callback_url = two.callback_url = text_of("https://lms/");
    ck_assert_int_eq(db_run(db, &one.job), DB_OK);
    ck_assert_int_eq(db_run(db, &two.job), DB_OK);
    ck_assert_int_eq(two.waiting, 2);
}
END_TEST

/* The second half of a race: what another thread submits. */
static void *submit_elsewhere(void *context)
{
    struct submission_insert *self = context;

    db_thread_start();
    db_run(other_db, &self->job);
    db_thread_stop();
    return NULL;
}

START_TEST(of_two_at_once_on_two_connections_one_supersedes_the_other)
{
    struct submission_insert second = insert_of("7:p");
    pthread_t thread;

    /* The first one, as far as the new live row: not committed yet. */
    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute(db,
                   "INSERT INTO xqueue_live (id, queue_id, arrival_us, state,"
                   " attempts, problem, destination, pullkey, grader_id)"
                   " VALUES (500, 1, 1000, 1, 1, ?, 7, 'k', 'g')",
                   &(struct db_param){
                       .kind = DB_PARAM_BYTES,
                       .text = {(const char *)second.problem, PROBLEM_SIZE}},
                   1, NULL),
        DB_OK);
    pthread_create(&thread, NULL, submit_elsewhere, &second);
    wait_for_waiting_locks(1);
    ck_assert_int_eq(db_execute_text(db, "COMMIT"), DB_OK);
    pthread_join(thread, NULL);
    ck_assert_int_eq(second.job.status, DB_OK);
    ck_assert_str_eq(live_state(500), "3");
    ck_assert_str_eq(traces(second.id), "110");
    ck_assert_value("1", "SELECT COUNT(*) FROM queue_submission");
}
END_TEST

/* R19: superseding and storing are one. */
START_TEST(the_older_one_lives_when_the_new_one_cannot_be_stored)
{
    int64_t old = submit("7:p");
    struct submission_insert new = insert_of("7:p");
    char requester[129 + 1];

    memset(requester, 'r', sizeof requester - 1);
    requester[129] = '\0';
    new.requester_id = text_of(requester);
    ck_assert_int_eq(db_run(db, &new.job), DB_REFUSED);
    ck_assert_str_eq(traces(old), "110");
    ck_assert_str_eq(wide("retired", old), "0");
    ck_assert_value("1", "SELECT COUNT(*) FROM queue_submission");
}
END_TEST

START_TEST(a_batch_with_one_that_does_not_fit_stores_nothing)
{
    struct inserts inserts = {.count = 0};
    char requester[129 + 1];

    memset(requester, 'r', sizeof requester - 1);
    requester[129] = '\0';
    add(&inserts, "7:a");
    add(&inserts, "7:b");
    inserts.list[1].requester_id = text_of(requester);
    ck_assert_int_eq(run_batch(db, inserts.jobs, 2), DB_REFUSED);
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
}
END_TEST

HOT_STORY("submit", TELL(a_submission_is_stored_as_django_would_write_it),
          TELL(the_arrival_time_is_now_to_the_microsecond_in_all_tables),
          TELL(the_day_of_arrival_is_stored),
          TELL(the_url_column_keeps_128_characters_of_any_length),
          TELL(a_header_of_16_kib_fits),
          TELL(any_unicode_and_nul_come_back_byte_by_byte),
          TELL(the_number_counts_those_that_wait_and_itself),
          TELL(a_batch_gets_numbers_one_after_the_other_in_each_queue),
          TELL(each_of_a_batch_learns_its_own_id),
          TELL(large_ones_of_a_batch_go_in_several_statements),
          TELL(a_full_batch_is_stored), TELL(a_waiting_one_is_superseded),
          TELL(a_superseded_one_leaves_its_own_queue),
          TELL(a_leased_one_is_superseded_and_its_key_stays_good),
          TELL(one_superseded_while_leased_is_not_superseded_again),
          TELL(one_that_came_back_is_superseded_and_its_key_stays_good),
          TELL(an_answered_one_is_superseded_and_its_callback_dropped),
          TELL(a_dead_one_is_superseded_and_its_failure_message_dropped),
          TELL(a_finished_one_stays_as_it_is),
          TELL(of_two_about_one_problem_in_a_batch_the_later_one_stays),
          TELL(problems_differ_by_the_whole_url_not_by_its_column),
          TELL(of_two_at_once_on_two_connections_one_supersedes_the_other),
          TELL(the_older_one_lives_when_the_new_one_cannot_be_stored),
          TELL(a_batch_with_one_that_does_not_fit_stores_nothing))

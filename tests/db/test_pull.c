/*
 * db/pull.c
 */
#include "tests/support/hot_story.h"

#include "server/base/clock.h"

#include <string.h>

enum { BATCH = 16, SOON_MS = 2000 };

struct pulls {
    struct submission_pull list[BATCH];
    struct db_job *jobs[BATCH];
};

static void pull_batch(struct pulls *pulls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pulls->list[i] = pull_of();
        pulls->jobs[i] = &pulls->list[i].job;
    }
    ck_assert_int_eq(run_batch(db, pulls->jobs, count), DB_OK);
}

static void expect_empty(void)
{
    struct submission_pull self = pull_of();

    ck_assert_int_eq(db_run(db, &self.job), DB_NOT_FOUND);
}

static void compose_key(struct submission_pull *self)
{
    self->reply = text_of(
        arena_printf(self->arena, "%s%d", self->pullkey, (int)self->attempt));
}

START_TEST(the_oldest_comes_first)
{
    int64_t ids[] = {submit("7:a"), submit("7:b"), submit("7:c")};

    /* By arrival, not by number. */
    mariadb_run("UPDATE xqueue_ready SET arrival_us = 1000 WHERE id = %lld",
                (long long)ids[1]);
    mariadb_run("UPDATE xqueue_live SET arrival_us = 1000 WHERE id = %lld",
                (long long)ids[1]);
    ck_assert_int_eq(pull().id, ids[1]);
    ck_assert_int_eq(pull().id, ids[0]);
    ck_assert_int_eq(pull().id, ids[2]);
    expect_empty();
}
END_TEST

START_TEST(an_empty_queue_has_nothing_even_beside_a_full_one)
{
    struct submission_insert elsewhere = insert_of("7:p");

    expect_empty();
    elsewhere.queue_id = OTHER_QUEUE;
    ck_assert_int_eq(db_run(db, &elsewhere.job), DB_OK);
    expect_empty();
}
END_TEST

START_TEST(an_empty_pull_commits_nothing)
{
    struct submission_pull none = pull_of();
    const char *tokens = mariadb_value("SELECT COUNT(*) FROM xqueue_commit");

    ck_assert_int_eq(db_run(db, &none.job), DB_NOT_FOUND);
    ck_assert_str_eq(mariadb_value("SELECT COUNT(*) FROM xqueue_commit"),
                     tokens);
}
END_TEST

START_TEST(a_pull_hands_out_what_was_submitted)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled;

    mariadb_run("UPDATE queue_submission SET s3_urls = '{\"a\": \"/b\"}'");
    pulled = pull();
    ck_assert_int_eq(pulled.id, id);
    ck_assert_int_eq(pulled.attempt, 1);
    ck_assert(text_equal_string(pulled.body, "body"));
    ck_assert(text_equal_string(pulled.files.urls, "{\"a\": \"/b\"}"));
}
END_TEST

START_TEST(a_key_is_32_hexadecimal_digits_and_new_each_time)
{
    int64_t id = submit("7:p");
    struct submission_pull first = pull();
    struct submission_pull second;

    expire();
    second = pull();
    ck_assert_int_eq(second.id, id);
    ck_assert_uint_eq(strspn(first.pullkey, "0123456789abcdef"), 32);
    ck_assert_uint_eq(strlen(first.pullkey), 32);
    ck_assert_str_ne(first.pullkey, second.pullkey);
}
END_TEST

START_TEST(a_lease_tells_who_when_and_how_long)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();

    ck_assert_str_eq(live_state(id), "1");
    ck_assert_value(
        arena_printf(arena, "%s grader 60000000 1 1", pulled.pullkey),
        "SELECT CONCAT_WS(' ', pullkey, grader_id,"
        " expires_us - pulled_us, attempts,"
        " ABS(pulled_us - UNIX_TIMESTAMP(NOW(6)) * 1000000)"
        " < 60000000) FROM xqueue_live");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

START_TEST(attempts_are_counted)
{
    submit("7:p");
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(pull().attempt, i);
        if (i < 3)
            expire();
    }
}
END_TEST

START_TEST(a_batch_of_16_gets_the_five_that_there_are)
{
    struct pulls pulls;
    int64_t ids[5];

    for (int i = 0; i < 5; i++)
        ids[i] = submit(arena_printf(arena, "7:%d", i));
    pull_batch(&pulls, 16);
    for (int i = 0; i < 16; i++) {
        const struct submission_pull *self = &pulls.list[i];

        if (i >= 5) {
            ck_assert_int_eq(self->job.status, DB_NOT_FOUND);
            continue;
        }
        ck_assert_int_eq(self->job.status, DB_OK);
        ck_assert_int_eq(self->id, ids[i]);
        ck_assert_value(self->pullkey,
                        "SELECT pullkey FROM xqueue_live WHERE id = %lld",
                        (long long)ids[i]);
    }
}
END_TEST

START_TEST(each_of_a_batch_is_leased_to_its_own_grader)
{
    struct pulls pulls;

    for (int i = 0; i < 3; i++) {
        submit(arena_printf(arena, "7:%d", i));
        pulls.list[i] = pull_of();
        pulls.list[i].grader_id =
            text_of(arena_printf(arena, "g\xc3\xa4 %d", i));
        pulls.jobs[i] = &pulls.list[i].job;
    }
    ck_assert_int_eq(run_batch(db, pulls.jobs, 3), DB_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_value(arena_printf(arena, "g\xc3\xa4 %d", i),
                        "SELECT grader_id FROM xqueue_live WHERE id = %lld",
                        (long long)pulls.list[i].id);
}
END_TEST

START_TEST(the_reply_is_composed_for_those_that_got_one)
{
    struct pulls pulls;

    submit("7:p");
    for (int i = 0; i < 2; i++) {
        pulls.list[i] = pull_of();
        pulls.list[i].compose = compose_key;
        pulls.list[i].reply = TEXT_ABSENT;
        pulls.jobs[i] = &pulls.list[i].job;
    }
    ck_assert_int_eq(run_batch(db, pulls.jobs, 2), DB_OK);
    ck_assert(
        text_equal_string(pulls.list[0].reply,
                          arena_printf(arena, "%s1", pulls.list[0].pullkey)));
    ck_assert(text_is_absent(pulls.list[1].reply));
}
END_TEST

START_TEST(a_submission_deleted_by_hand_is_passed_over)
{
    int64_t gone = submit("7:a");
    int64_t next = submit("7:b");

    mariadb_run("DELETE FROM queue_submission WHERE id = %lld",
                (long long)gone);
    ck_assert_int_eq(pull().id, next);
    ck_assert_str_eq(live_state(gone), "");
    expect_empty();
}
END_TEST

START_TEST(a_submission_retired_by_hand_is_passed_over)
{
    int64_t gone = submit("7:a");
    int64_t next = submit("7:b");

    mariadb_run("UPDATE queue_submission SET retired = 1 WHERE id = %lld",
                (long long)gone);
    ck_assert_int_eq(pull().id, next);
    ck_assert_str_eq(live_state(gone), "");
}
END_TEST

START_TEST(a_batch_fills_up_past_many_that_are_gone)
{
    struct pulls pulls;
    int64_t ids[40];

    for (int i = 0; i < 40; i++)
        ids[i] = submit(arena_printf(arena, "7:%d", i));
    mariadb_run("UPDATE queue_submission SET retired = 1"
                " WHERE id < %lld AND id NOT IN (%lld, %lld)",
                (long long)ids[37], (long long)ids[0], (long long)ids[20]);
    pull_batch(&pulls, 4);
    ck_assert_int_eq(pulls.list[0].id, ids[0]);
    ck_assert_int_eq(pulls.list[1].id, ids[20]);
    ck_assert_int_eq(pulls.list[2].id, ids[37]);
    ck_assert_int_eq(pulls.list[3].id, ids[38]);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_ready");
    for (int i = 0; i < 4; i++)
        ck_assert_value(pulls.list[i].pullkey,
                        "SELECT pullkey FROM xqueue_live WHERE id = %lld",
                        (long long)pulls.list[i].id);
}
END_TEST

START_TEST(a_queue_of_nothing_but_gone_ones_is_empty)
{
    for (int i = 0; i < 5; i++)
        submit(arena_printf(arena, "7:%d", i));
    mariadb_run("DELETE FROM queue_submission");
    expect_empty();
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
}
END_TEST

START_TEST(a_superseded_one_is_never_handed_out)
{
    int64_t newest = 0;

    for (int i = 0; i < 3; i++)
        newest = submit("7:p");
    ck_assert_int_eq(pull().id, newest);
    expire();
    newest = submit("7:p");
    ck_assert_int_eq(pull().id, newest);
    expect_empty();
}
END_TEST

/* A transaction of somebody else, who has come as far as the ready row. */
static void hold_first_ready_row(void)
{
    struct db_rows rows;

    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_query(other_db, arena,
                 "SELECT id FROM xqueue_ready WHERE queue_id = 1"
                 " ORDER BY arrival_us, id LIMIT 1 FOR UPDATE SKIP LOCKED",
                 NULL, 0, &rows),
        DB_OK);
    ck_assert_uint_eq(rows.count, 1);
}

START_TEST(a_pull_passes_a_row_that_another_holds_without_waiting)
{
    int64_t held = submit("7:a");
    int64_t next = submit("7:b");
    int64_t start_ms = clock_monotonic_ms();

    hold_first_ready_row();
    ck_assert_int_eq(pull().id, next);
    expect_empty();
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, SOON_MS);
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
    ck_assert_int_eq(pull().id, held);
}
END_TEST

START_TEST(a_submit_does_not_wait_for_a_pull)
{
    int64_t start_ms;

    submit("7:a");
    hold_first_ready_row();
    start_ms = clock_monotonic_ms();
    submit("7:b");
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, SOON_MS);
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
}
END_TEST

START_TEST(a_pull_does_not_wait_for_a_submit)
{
    int64_t first = submit("7:a");
    int64_t start_ms;

    /* The rows of a submit that has not committed yet. */
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute(other_db, "INSERT INTO xqueue_ready VALUES (1, 1000, 900)",
                   NULL, 0, NULL),
        DB_OK);
    start_ms = clock_monotonic_ms();
    ck_assert_int_eq(pull().id, first);
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, SOON_MS);
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
}
END_TEST

HOT_STORY("pull", TELL(the_oldest_comes_first),
          TELL(an_empty_queue_has_nothing_even_beside_a_full_one),
          TELL(an_empty_pull_commits_nothing),
          TELL(a_pull_hands_out_what_was_submitted),
          TELL(a_key_is_32_hexadecimal_digits_and_new_each_time),
          TELL(a_lease_tells_who_when_and_how_long), TELL(attempts_are_counted),
          TELL(a_batch_of_16_gets_the_five_that_there_are),
          TELL(each_of_a_batch_is_leased_to_its_own_grader),
          TELL(the_reply_is_composed_for_those_that_got_one),
          TELL(a_submission_deleted_by_hand_is_passed_over),
          TELL(a_submission_retired_by_hand_is_passed_over),
          TELL(a_batch_fills_up_past_many_that_are_gone),
          TELL(a_queue_of_nothing_but_gone_ones_is_empty),
          TELL(a_superseded_one_is_never_handed_out),
          TELL(a_pull_passes_a_row_that_another_holds_without_waiting),
          TELL(a_submit_does_not_wait_for_a_pull),
          TELL(a_pull_does_not_wait_for_a_submit))

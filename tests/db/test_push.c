/*
 * db/push.c
 */
#include "tests/support/hot_story.h"

#include "server/base/clock.h"

#include <string.h>

enum { SOON_MS = 2000 };

static void expect_pushes(const char *count)
{
    ck_assert_value(count, "SELECT COUNT(*) FROM xqueue_push");
}

/* Into another queue than QUEUE. */
static int64_t submit_elsewhere(const char *header)
{
    struct submission_insert self = insert_of(header);

    self.queue_id = OTHER_QUEUE;
    self.queue_name = text_of("other queue");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self.id;
}

/* --- claim ------------------------------------------------------------ */

START_TEST(the_oldest_are_pushed_first)
{
    int64_t first = submit("7:a");
    int64_t second = submit("7:b");
    int64_t third = submit("7:c");
    struct push_claim two = push_claim(2, 2);

    ck_assert_int_eq(two.items[0].id, first);
    ck_assert_int_eq(two.items[1].id, second);
    ck_assert_int_eq(push_claim(3, 1).items[0].id, third);
}
END_TEST

START_TEST(a_claim_hands_out_what_was_submitted)
{
    int64_t id = submit("7:p");
    struct push_claim claim = push_claim(1, 1);
    const struct push_item *item = &claim.items[0];

    ck_assert(text_equal_string(item->body, "body"));
    ck_assert(text_equal_string(item->files.urls, "{}"));
    ck_assert_int_eq(item->attempt, 1);
    ck_assert_uint_eq(strlen(item->pullkey), PULLKEY_SIZE);
    ck_assert(text_equal_string(
        item->request, arena_printf(arena, "request %lld", (long long)id)));
}
END_TEST

START_TEST(a_claim_is_a_lease_and_a_place_and_no_pull)
{
    int64_t id = submit("7:p");
    struct push_claim claim = push_claim(1, 1);
    const struct push_item *item = &claim.items[0];

    ck_assert_value(arena_printf(arena, "1 1 1 %s http://grader %lld 0",
                                 item->pullkey,
                                 (long long)item->pushed_us + 60000000),
                    "SELECT CONCAT_WS(' ', state, attempts, pulled_us IS NULL,"
                    " pullkey, grader_id, expires_us, (SELECT COUNT(*)"
                    " FROM xqueue_ready)) FROM xqueue_live");
    ck_assert_int_eq(item->place.number, 1);
    ck_assert_value(arena_printf(arena, "1 1 %s %lld", item->place.key,
                                 (long long)item->pushed_us + 60000000),
                    "SELECT CONCAT_WS(' ', queue_id, id, pullkey, expires_us)"
                    " FROM xqueue_push");
    ck_assert_str_eq(wide("pull_time IS NULL, push_time IS NULL, pullkey,"
                          " grader_id, retired",
                          id),
                     "1 1   0");
}
END_TEST

START_TEST(a_long_grader_url_is_cut_to_its_column)
{
    struct push_claim claim = push_claim_of(1);
    char url[300];

    submit("7:p");
    memset(url, 'u', sizeof url);
    url[sizeof url - 1] = '\0';
    claim.grader_id = text_of(url);
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_value("128", "SELECT CHAR_LENGTH(grader_id) FROM xqueue_live");
}
END_TEST

START_TEST(a_claim_with_nothing_to_do_commits_nothing)
{
    struct push_claim claim = push_claim_of(1);

    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_uint_eq(claim.count, 0);
    submit("7:p");
    mariadb_run("DELETE FROM xqueue_commit");
    claim.queue_id = OTHER_QUEUE;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    claim.queue_id = 77;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    claim.queue_id = QUEUE;
    claim.concurrency = 0;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    claim.concurrency = 1;
    claim.limit = 0;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_uint_eq(claim.count, 0);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_commit");
}
END_TEST

START_TEST(no_more_than_the_limit_are_claimed)
{
    struct push_claim claim = push_claim_of(5);

    for (int i = 0; i < 5; i++)
        submit(arena_printf(arena, "7:%d", i));
    claim.limit = 2;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_uint_eq(claim.count, 2);
    expect_pushes("2");
}
END_TEST

START_TEST(never_more_than_concurrency_are_under_way)
{
    struct push_claim theirs = push_claim_of(3);
    struct push_claim ours;

    for (int i = 0; i < 5; i++)
        submit(arena_printf(arena, "7:%d", i));
    ours = push_claim(2, 2);
    ck_assert_int_eq(db_run(other_db, &theirs.job), DB_OK);
    ck_assert_uint_eq(theirs.count, 1);
    push_claim(3, 0);
    ck_assert_int_eq(push_end(&ours.items[1], PUSH_GRADED, "reply"), DB_OK);
    ck_assert_int_eq(db_run(other_db, &theirs.job), DB_OK);
    ck_assert_uint_eq(theirs.count, 1);
    expect_pushes("3");
}
END_TEST

START_TEST(a_claim_tells_whether_more_could_be_had_with_more_places)
{
    struct push_claim claim = push_claim_of(3);

    for (int i = 0; i < 4; i++)
        submit(arena_printf(arena, "7:%d", i));
    claim.limit = 2;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert(!claim.took_all_places);
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_uint_eq(claim.count, 1);
    ck_assert(claim.took_all_places);
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_uint_eq(claim.count, 0);
    ck_assert(claim.took_all_places);
    claim.concurrency = 5;
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    ck_assert_uint_eq(claim.count, 1);
    ck_assert(!claim.took_all_places);
}
END_TEST

START_TEST(each_queue_has_places_of_its_own)
{
    struct push_claim elsewhere = push_claim_of(1);

    submit("7:a");
    push_claim(1, 1);
    submit_elsewhere("7:b");
    elsewhere.queue_id = OTHER_QUEUE;
    ck_assert_int_eq(db_run(db, &elsewhere.job), DB_OK);
    ck_assert_uint_eq(elsewhere.count, 1);
    expect_pushes("2");
}
END_TEST

START_TEST(a_lowered_concurrency_lets_the_others_end_first)
{
    struct push_claim three;

    for (int i = 0; i < 5; i++)
        submit(arena_printf(arena, "7:%d", i));
    three = push_claim(3, 3);
    push_claim(1, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(push_end(&three.items[i], PUSH_GRADED, "r"), DB_OK);
        push_claim(1, 0);
    }
    ck_assert_int_eq(push_end(&three.items[2], PUSH_GRADED, "r"), DB_OK);
    push_claim(1, 1);
}
END_TEST

START_TEST(a_lease_that_ran_out_frees_the_place_and_the_submission)
{
    int64_t id = submit("7:p");
    struct push_claim first = push_claim(1, 1);
    struct push_claim second;

    push_claim(1, 0);
    expire();
    ck_assert_str_eq(live_state(id), "0");
    second = push_claim(1, 1);
    ck_assert_int_eq(second.items[0].id, id);
    ck_assert_int_eq(second.items[0].attempt, 2);
    ck_assert_str_ne(second.items[0].pullkey, first.items[0].pullkey);
    expect_pushes("1");
}
END_TEST

START_TEST(the_place_is_free_even_before_the_submission_is_swept)
{
    submit("7:a");
    push_claim(1, 1);
    mariadb_run("UPDATE xqueue_push SET expires_us = 1");
    push_claim(1, 0);
    expect_pushes("0");
    submit("7:b");
    push_claim(1, 1);
    expect_pushes("1");
}
END_TEST

START_TEST(a_push_and_a_pull_never_get_the_same_one)
{
    int64_t first = submit("7:a");
    int64_t second = submit("7:b");
    int64_t third = submit("7:c");
    struct submission_pull none = pull_of();

    ck_assert_int_eq(push_claim(1, 1).items[0].id, first);
    ck_assert_int_eq(pull().id, second);
    ck_assert_int_eq(push_claim(2, 1).items[0].id, third);
    ck_assert_int_eq(db_run(db, &none.job), DB_NOT_FOUND);
}
END_TEST

START_TEST(a_pull_takes_no_place)
{
    submit("7:a");
    submit("7:b");
    pull();
    push_claim(1, 1);
}
END_TEST

START_TEST(a_key_of_an_earlier_pull_is_refused_after_a_push_has_begun)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct push_claim pushed;
    struct outbox_claim callbacks;

    expire();
    pushed = push_claim(1, 1);
    ck_assert_int_eq(answer(&pulled, "late"), DB_MISMATCH);
    ck_assert_int_eq(push_end(&pushed.items[0], PUSH_GRADED, "reply"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "late"), DB_MISMATCH);
    /* Also when it is finished, and only queue_submission knows keys. */
    callbacks = claim(7, 1);
    record(&callbacks, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(live_state(id), "");
    ck_assert_int_eq(answer(&pulled, "late"), DB_MISMATCH);
    ck_assert_str_eq(wide("grader_reply", id), "reply");
}
END_TEST

START_TEST(one_put_back_by_hand_can_be_pushed_again_beside_its_old_place)
{
    int64_t id = submit("7:p");
    struct push_claim first = push_claim(1, 1);
    struct push_claim second;

    mariadb_run("UPDATE xqueue_live SET state = 0, expires_us = NULL");
    mariadb_run("INSERT INTO xqueue_ready SELECT queue_id, arrival_us, id"
                " FROM xqueue_live");
    mariadb_run("UPDATE xqueue_depth SET waiting = waiting + 1");
    push_claim(1, 0);
    second = push_claim(2, 1);
    ck_assert_int_eq(second.items[0].id, id);
    expect_pushes("2");
    ck_assert_int_eq(push_end(&first.items[0], PUSH_GRADED, "1"), DB_MISMATCH);
    ck_assert_value(second.items[0].pullkey, "SELECT pullkey FROM xqueue_push");
    ck_assert_int_eq(push_end(&second.items[0], PUSH_GRADED, "2"), DB_OK);
    expect_pushes("0");
}
END_TEST

START_TEST(those_deleted_by_hand_are_passed_over_and_forgotten)
{
    int64_t last;

    for (int i = 0; i < 20; i++)
        submit(arena_printf(arena, "7:%d", i));
    last = submit("7:last");
    mariadb_run("DELETE FROM queue_submission WHERE id < %lld",
                (long long)last);
    ck_assert_int_eq(push_claim(1, 1).items[0].id, last);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_live");
}
END_TEST

START_TEST(many_are_claimed_at_once_in_order)
{
    struct push_claim claim;

    add_waiting(120);
    claim = push_claim(100, 100);
    for (size_t i = 1; i < claim.count; i++)
        ck_assert_int_lt(claim.items[i - 1].id, claim.items[i].id);
    expect_pushes("100");
    ck_assert_value("20", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

/* A push of the same queue that is just being recorded. */
START_TEST(a_claim_waits_for_no_push_that_is_ending)
{
    struct push_claim one;
    int64_t start_ms = clock_monotonic_ms();

    submit("7:a");
    submit("7:b");
    one = push_claim(1, 1);
    ck_assert_int_eq(db_conn_open(other_db), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "DELETE FROM xqueue_push"),
                     DB_OK);
    push_claim(1, 0);
    push_claim(2, 1);
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, SOON_MS);
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
    ck_assert_int_eq(push_end(&one.items[0], PUSH_UNSENT, ""), DB_OK);
}
END_TEST

/* --- look ------------------------------------------------------------- */

START_TEST(a_look_tells_which_queues_have_submissions_waiting)
{
    const int64_t ids[] = {OTHER_QUEUE, 77, QUEUE};
    bool waiting[] = {true, true, true};
    struct queue_look look = queue_look_of(ids, 3, waiting);

    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    ck_assert(!waiting[0] && !waiting[1] && !waiting[2]);
    submit("7:p");
    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    ck_assert(!waiting[0] && !waiting[1] && waiting[2]);
    push_claim(1, 1);
    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    ck_assert(!waiting[2]);
}
END_TEST

START_TEST(a_look_takes_many_queues_and_none)
{
    enum { QUEUES = 1000 };
    int64_t ids[QUEUES];
    bool waiting[QUEUES];
    struct queue_look look;

    mariadb_run("INSERT INTO xqueue_queue (id, name) SELECT n + 2,"
                " CONCAT('q', n) FROM " MARIADB_NUMBERS,
                QUEUES);
    for (int i = 0; i < QUEUES; i++)
        ids[i] = QUEUES - i;
    look = queue_look_of(ids, QUEUES, waiting);
    submit("7:a");
    submit_elsewhere("7:b");
    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    for (int i = 0; i < QUEUES; i++)
        ck_assert_int_eq(waiting[i], i >= QUEUES - 2);
    look.count = 0;
    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
}
END_TEST

HOT_STORY("push", TELL(the_oldest_are_pushed_first),
          TELL(a_claim_hands_out_what_was_submitted),
          TELL(a_claim_is_a_lease_and_a_place_and_no_pull),
          TELL(a_long_grader_url_is_cut_to_its_column),
          TELL(a_claim_with_nothing_to_do_commits_nothing),
          TELL(no_more_than_the_limit_are_claimed),
          TELL(never_more_than_concurrency_are_under_way),
          TELL(a_claim_tells_whether_more_could_be_had_with_more_places),
          TELL(each_queue_has_places_of_its_own),
          TELL(a_lowered_concurrency_lets_the_others_end_first),
          TELL(a_lease_that_ran_out_frees_the_place_and_the_submission),
          TELL(the_place_is_free_even_before_the_submission_is_swept),
          TELL(a_push_and_a_pull_never_get_the_same_one),
          TELL(a_pull_takes_no_place),
          TELL(a_key_of_an_earlier_pull_is_refused_after_a_push_has_begun),
          TELL(one_put_back_by_hand_can_be_pushed_again_beside_its_old_place),
          TELL(those_deleted_by_hand_are_passed_over_and_forgotten),
          TELL(many_are_claimed_at_once_in_order),
          TELL(a_claim_waits_for_no_push_that_is_ending),
          TELL(a_look_tells_which_queues_have_submissions_waiting),
          TELL(a_look_takes_many_queues_and_none))

/*
 * db/retire.c
 */
#include "db/retire.h"

#include "tests/support/hot_story.h"

enum { MANY = 1203 };

/* What the progress function was told: "id queue failures, ..." */
static const char *told = "";

static void tell(int64_t id, struct text queue_name, int64_t failures,
                 void *context)
{
    ck_assert_ptr_eq(context, &told);
    told = arena_printf(arena, "%s%lld %.*s %lld, ", told, (long long)id,
                        TEXT_ARGUMENTS(queue_name), (long long)failures);
}

static struct retire_settings settings_of(const char *queue_name)
{
    return (struct retire_settings){
        .queue_name = text_of(queue_name),
        .failure = text_of("failure"),
        .progress = tell,
        .context = &told,
    };
}

static int64_t failed(int64_t max_failures, bool force, const char *queue_name)
{
    struct retire_settings settings = settings_of(queue_name);
    int64_t retired = -1;

    ck_assert_int_eq(
        retire_failed(db, &settings, max_failures, force, &retired), DB_OK);
    return retired;
}

static int64_t old(const char *queue_name, const char *before)
{
    struct retire_settings settings = settings_of(queue_name);
    int64_t retired = -1;

    ck_assert_int_eq(retire_old(db, &settings, text_of(before), &retired),
                     DB_OK);
    return retired;
}

/* A result that the LMS has refused so many times. */
static struct submission_pull refused(const char *header, int times)
{
    struct submission_pull pulled;

    submit(header);
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    for (int i = 0; i < times; i++) {
        struct outbox_claim claimed;

        mariadb_run("UPDATE xqueue_outbox SET due_us ="
                    " IF(id = %lld, 1, 4e15)",
                    (long long)pulled.id);
        claimed = claim(7, 1);
        record(&claimed, 0, OUTBOX_RETRY);
    }
    return pulled;
}

static const char *columns(int64_t id)
{
    return wide("retired, lms_ack, num_failures, grader_reply", id);
}

/* "kind reply" of its callbacks. */
static const char *callbacks(int64_t id)
{
    return mariadb_value("SELECT COALESCE(GROUP_CONCAT(kind, ' ', reply"
                         " ORDER BY seq SEPARATOR ', '), '')"
                         " FROM xqueue_outbox WHERE id = %lld",
                         (long long)id);
}

START_TEST(unretired_ones_are_counted_by_queue_most_first)
{
    struct queue_count *counts;
    size_t count = 9;
    struct submission_insert elsewhere = insert_of("7:x");

    ck_assert_int_eq(count_unretired(db, arena, &counts, &count), DB_OK);
    ck_assert_uint_eq(count, 0);
    elsewhere.queue_id = OTHER_QUEUE;
    elsewhere.queue_name = text_of("other queue");
    ck_assert_int_eq(db_run(db, &elsewhere.job), DB_OK);
    submit("7:a");
    submit("7:b");
    submit("7:c");
    pull();
    submit("7:a");
    ck_assert_int_eq(count_unretired(db, arena, &counts, &count), DB_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert(text_equal_string(counts[0].queue_name, "queue"));
    ck_assert_int_eq(counts[0].count, 3);
    ck_assert(text_equal_string(counts[1].queue_name, "other queue"));
    ck_assert_int_eq(counts[1].count, 1);
}
END_TEST

START_TEST(a_failed_one_is_retired_once_the_lms_has_heard)
{
    int64_t id = submit("7:p");
    struct outbox_claim claimed;

    mariadb_run("UPDATE queue_submission SET num_failures = 2"); /* Django's */
    ck_assert_int_eq(failed(2, false, NULL), 1);
    ck_assert_str_eq(told,
                     arena_printf(arena, "%lld queue 2, ", (long long)id));
    ck_assert_str_eq(columns(id), "0 0 2 ");
    ck_assert_str_eq(callbacks(id), "1 failure");
    ck_assert_str_eq(live_state(id), "4");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(id), "1 1 2 ");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(a_result_on_its_way_is_not_replaced_by_a_failure_message)
{
    int64_t id = refused("7:p", 2).id;

    ck_assert_int_eq(failed(2, false, NULL), 0);
    ck_assert_str_eq(columns(id), "0 0 2 reply");
    ck_assert_str_eq(live_state(id), "2");
    ck_assert_str_eq(mariadb_value("SELECT COUNT(*) FROM xqueue_outbox"
                                   " WHERE kind = 0"),
                     "1");
}
END_TEST

START_TEST(with_force_a_failed_one_is_retired_without_a_word)
{
    int64_t id = refused("7:p", 1).id;

    ck_assert_int_eq(failed(1, true, NULL), 1);
    ck_assert_str_eq(columns(id), "1 0 1 reply");
    ck_assert_str_eq(callbacks(id), "");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(only_those_with_enough_failures_are_retired)
{
    int64_t once = refused("7:a", 1).id;
    int64_t twice = refused("7:b", 2).id;
    int64_t never = submit("7:c");

    ck_assert_int_eq(failed(2, true, NULL), 1);
    ck_assert_str_eq(wide("retired", twice), "1");
    ck_assert_str_eq(wide("retired", once), "0");
    ck_assert_int_eq(failed(0, true, NULL), 1);
    ck_assert_str_eq(wide("retired", once), "1");
    ck_assert_str_eq(wide("retired", never), "0");
}
END_TEST

START_TEST(only_the_queue_that_was_named_is_retired)
{
    int64_t id = refused("7:a", 1).id;

    ck_assert_int_eq(failed(1, true, "other queue"), 0);
    ck_assert_str_eq(wide("retired", id), "0");
    ck_assert_int_eq(failed(1, true, "queue"), 1);
    ck_assert_str_eq(wide("retired", id), "1");
}
END_TEST

START_TEST(a_delivery_under_way_does_not_end_the_failure_message)
{
    int64_t id = submit("7:p");
    struct outbox_claim before;

    mariadb_run("UPDATE queue_submission SET num_failures = 1");
    ck_assert_int_eq(failed(1, false, NULL), 1);
    mariadb_run("UPDATE xqueue_outbox SET due_us = 1");
    before = claim(7, 1);
    ck_assert_int_eq(failed(1, false, NULL), 1);
    record(&before, 0, OUTBOX_RETRY);
    ck_assert_str_eq(columns(id), "0 0 1 ");
    ck_assert_uint_eq(claim(7, 2).count, 1);
}
END_TEST

/* As if a Django server had counted a failure before a new pull. */
START_TEST(a_failed_one_that_waits_is_handed_out_no_more)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_pull again = pull_of();
    struct outbox_claim claimed;

    expire();
    mariadb_run("UPDATE queue_submission SET num_failures = 1");
    ck_assert_int_eq(failed(1, false, NULL), 1);
    ck_assert_int_eq(db_run(db, &again.job), DB_NOT_FOUND);
    claimed = claim(7, 1);
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(wide("retired, lms_ack, pullkey", id),
                     arena_printf(arena, "1 1 %s", pulled.pullkey));
}
END_TEST

START_TEST(an_old_one_is_retired_at_once_and_the_lms_is_told)
{
    int64_t waiting = submit("7:a");
    struct submission_pull pulled = pull();
    int64_t other = submit("7:b");
    struct outbox_claim claimed;

    ck_assert_int_eq(pulled.id, waiting);
    ck_assert_int_eq(old("queue", NULL), 2);
    ck_assert_str_eq(columns(waiting), "1 0 0 ");
    ck_assert_str_eq(columns(other), "1 0 0 ");
    ck_assert_str_eq(wide("pullkey", waiting), pulled.pullkey);
    ck_assert_str_eq(callbacks(waiting), "2 failure");
    ck_assert_str_eq(callbacks(other), "2 failure");
    ck_assert_str_eq(live_state(waiting), "");
    ck_assert_str_eq(live_state(other), "");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 2);
    ck_assert_int_eq(claimed.items[0].kind, OUTBOX_RETIRED);
    record(&claimed, 0, OUTBOX_DELIVERED);
    record(&claimed, 1, OUTBOX_GIVE_UP);
    ck_assert_value("1 1", "SELECT CONCAT_WS(' ', SUM(lms_ack),"
                           " SUM(num_failures)) FROM queue_submission");
}
END_TEST

START_TEST(only_what_arrived_early_enough_is_retired_as_old)
{
    int64_t early = submit("7:a");
    int64_t late = submit("7:b");

    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " IF(id = %lld, '2026-01-02 03:04:05',"
                " '2026-01-02 03:04:05.000001')",
                (long long)early);
    ck_assert_int_eq(old("other queue", "2026-01-02 03:04:05"), 0);
    ck_assert_int_eq(old("queue", "2026-01-02 03:04:04"), 0);
    ck_assert_int_eq(old("queue", "2026-01-02 03:04:05"), 1);
    ck_assert_str_eq(wide("retired", early), "1");
    ck_assert_str_eq(wide("retired", late), "0");
}
END_TEST

START_TEST(what_is_retired_already_is_not_told_again)
{
    int64_t superseded = submit("7:p");

    pull();
    submit("7:p");
    pull();
    expire();
    ck_assert_int_eq(old("queue", NULL), 1);
    ck_assert_int_eq(old("queue", NULL), 0);
    ck_assert_str_eq(callbacks(superseded), "");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(an_old_one_retired_by_force_still_takes_its_result)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();

    ck_assert_int_eq(old("queue", NULL), 1);
    ck_assert_int_eq(answer(&pulled, "late"), DB_OK);
    ck_assert_str_eq(columns(id), "1 0 0 late");
    ck_assert_str_eq(callbacks(id), "2 failure");
}
END_TEST

START_TEST(more_than_a_chunk_is_retired)
{
    struct retire_settings settings = {
        .queue_name = text_of("queue"),
        .failure = text_of("failure"),
    };
    int64_t retired;

    add_waiting(MANY);
    ck_assert_int_eq(retire_old(db, &settings, TEXT_ABSENT, &retired), DB_OK);
    ck_assert_int_eq(retired, MANY);
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission"
                         " WHERE retired = 0");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
    ck_assert_value("1203", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(one_outside_of_the_hot_set_is_left_alone)
{
    add_waiting(1);
    mariadb_run("DELETE FROM xqueue_live");
    mariadb_run("DELETE FROM xqueue_ready");
    mariadb_run("DELETE FROM xqueue_depth");
    ck_assert_int_eq(old("queue", NULL), 0);
    ck_assert_str_eq(told, "");
}
END_TEST

HOT_STORY("retire", TELL(unretired_ones_are_counted_by_queue_most_first),
          TELL(a_failed_one_is_retired_once_the_lms_has_heard),
          TELL(a_result_on_its_way_is_not_replaced_by_a_failure_message),
          TELL(with_force_a_failed_one_is_retired_without_a_word),
          TELL(only_those_with_enough_failures_are_retired),
          TELL(only_the_queue_that_was_named_is_retired),
          TELL(a_delivery_under_way_does_not_end_the_failure_message),
          TELL(a_failed_one_that_waits_is_handed_out_no_more),
          TELL(an_old_one_is_retired_at_once_and_the_lms_is_told),
          TELL(only_what_arrived_early_enough_is_retired_as_old),
          TELL(what_is_retired_already_is_not_told_again),
          TELL(an_old_one_retired_by_force_still_takes_its_result),
          TELL(more_than_a_chunk_is_retired),
          TELL(one_outside_of_the_hot_set_is_left_alone))

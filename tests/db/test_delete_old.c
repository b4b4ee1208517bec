/*
 * db/delete_old.c
 */
#include "db/retire.h"
#include "tests/support/hot_story.h"

static int64_t last_id;

static size_t delete_chunk(int64_t days, size_t chunk)
{
    struct old_submission *chosen;
    size_t count;

    ck_assert_int_eq(
        delete_old_choose(db, arena, days, chunk, last_id, &chosen, &count),
        DB_OK);
    ck_assert_int_eq(delete_old_rows(db, chosen, count), DB_OK);
    if (count > 0)
        last_id = chosen[count - 1].row.id;
    return count;
}

static void make_old(int64_t id, const char *age)
{
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL %s WHERE id = %lld",
                age, (long long)id);
}

static const char *left(void)
{
    return mariadb_value("SELECT COALESCE(GROUP_CONCAT(id ORDER BY id), '')"
                         " FROM queue_submission");
}

START_TEST(what_arrived_so_many_days_ago_is_deleted)
{
    int64_t old = submit("7:a");
    int64_t young = submit("7:b");

    last_id = 0;
    make_old(old, "'7 0:01' DAY_MINUTE");
    make_old(young, "'6 23:59' DAY_MINUTE");
    ck_assert_uint_eq(delete_chunk(7, 1000), 1);
    ck_assert_int_eq(last_id, old);
    ck_assert_uint_eq(delete_chunk(7, 1000), 0);
    ck_assert_int_eq(last_id, old);
    ck_assert_str_eq(left(), arena_printf(arena, "%lld", (long long)young));
}
END_TEST

START_TEST(chunks_go_on_where_the_last_one_ended)
{
    last_id = 0;
    add_finished(25);
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL 8 DAY");
    ck_assert_uint_eq(delete_chunk(7, 10), 10);
    ck_assert_uint_eq(delete_chunk(7, 10), 10);
    ck_assert_uint_eq(delete_chunk(7, 10), 5);
    ck_assert_uint_eq(delete_chunk(7, 10), 0);
    ck_assert_str_eq(left(), "");
}
END_TEST

START_TEST(an_old_one_among_young_ones_is_found)
{
    int64_t ids[] = {submit("7:a"), submit("7:b"), submit("7:c")};

    last_id = 0;
    make_old(ids[1], "8 DAY");
    ck_assert_uint_eq(delete_chunk(7, 10), 1);
    ck_assert_uint_eq(delete_chunk(7, 10), 0);
    ck_assert_str_eq(left(), arena_printf(arena, "%lld,%lld", (long long)ids[0],
                                          (long long)ids[2]));
}
END_TEST

START_TEST(unfinished_ones_leave_the_hot_set)
{
    struct submission_pull again = pull_of();
    struct submission_pull leased;
    struct submission_pull answered;
    int64_t waiting;

    last_id = 0;
    submit("7:a");
    submit("7:b");
    leased = pull();
    answered = pull();
    ck_assert_int_eq(answer(&answered, "reply"), DB_OK);
    waiting = submit("7:c");
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL 8 DAY");
    ck_assert_uint_eq(delete_chunk(7, 10), 3);
    ck_assert_str_eq(live_state(leased.id), "");
    ck_assert_str_eq(live_state(waiting), "");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_int_eq(db_run(db, &again.job), DB_NOT_FOUND);
    ck_assert_int_eq(answer(&leased, "late"), DB_NOT_FOUND);
}
END_TEST

START_TEST(the_word_about_a_retired_one_is_dropped_with_it)
{
    struct retire_settings settings = {
        .queue_name = text_of("queue"),
        .failure = text_of("failure"),
    };
    int64_t retired;

    last_id = 0;
    submit("7:a");
    ck_assert_int_eq(retire_old(db, &settings, TEXT_ABSENT, &retired), DB_OK);
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL 8 DAY");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_uint_eq(delete_chunk(7, 10), 1);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(nothing_stored_means_nothing_deleted)
{
    last_id = 0;
    ck_assert_uint_eq(delete_chunk(0, 10), 0);
    ck_assert_int_eq(last_id, 0);
}
END_TEST

static void choose_all(struct old_submission **ret_chosen, size_t count)
{
    size_t chosen;

    ck_assert_int_eq(
        delete_old_choose(db, arena, 7, 100, 0, ret_chosen, &chosen), DB_OK);
    ck_assert_uint_eq(chosen, count);
}

START_TEST(what_is_chosen_tells_its_files)
{
    int64_t without = submit("7:a");
    int64_t with = submit("7:b");
    int64_t apart = submit("7:c");
    struct old_submission *chosen;

    make_old(without, "8 DAY");
    make_old(with, "8 DAY");
    make_old(apart, "8 DAY");
    mariadb_run("UPDATE queue_submission SET s3_keys = '{\"a\": \"k\"}'"
                " WHERE id >= %lld",
                (long long)with);
    mariadb_run("INSERT INTO xqueue_files (id, map) VALUES (%lld, '{long}')",
                (long long)apart);
    choose_all(&chosen, 3);
    ck_assert_str_eq(chosen[0].row.files.data, "{}");
    ck_assert_str_eq(chosen[1].row.files.data, "{\"a\": \"k\"}");
    ck_assert_str_eq(chosen[1].row.queue_name.data, "queue");
    ck_assert(!chosen[1].row.has_map);
    ck_assert_str_eq(chosen[2].row.files.data, "{long}");
    ck_assert(chosen[2].row.has_map);
    ck_assert_int_eq(delete_old_rows(db, chosen, 3), DB_OK);
    ck_assert_str_eq(left(), "");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_files");
}
END_TEST

START_TEST(files_of_a_younger_one_of_django_with_the_same_header_are_shared)
{
    int64_t old = submit("7:a");
    int64_t other = submit("7:b");
    int64_t young = submit("7:a");
    struct old_submission *chosen;

    make_old(old, "8 DAY");
    make_old(other, "8 DAY");
    mariadb_run("UPDATE queue_submission SET s3_keys = '{\"a\": \"k\"}'");
    choose_all(&chosen, 2);
    ck_assert(!chosen[0].shares_files);
    mariadb_run("UPDATE queue_submission SET xqueue_arrival_day = NULL"
                " WHERE id = %lld",
                (long long)young);
    choose_all(&chosen, 2);
    ck_assert(chosen[0].shares_files);
    ck_assert(!chosen[1].shares_files);
    mariadb_run("UPDATE queue_submission SET queue_name = 'another' WHERE"
                " id = %lld",
                (long long)young);
    choose_all(&chosen, 2);
    ck_assert(!chosen[0].shares_files);
    mariadb_run("UPDATE queue_submission SET queue_name = 'queue'");
    make_old(young, "8 DAY");
    choose_all(&chosen, 3);
    ck_assert(!chosen[0].shares_files);
}
END_TEST

HOT_STORY(
    "deleting old submissions", TELL(what_arrived_so_many_days_ago_is_deleted),
    TELL(chunks_go_on_where_the_last_one_ended),
    TELL(an_old_one_among_young_ones_is_found),
    TELL(unfinished_ones_leave_the_hot_set),
    TELL(the_word_about_a_retired_one_is_dropped_with_it),
    TELL(nothing_stored_means_nothing_deleted),
    TELL(what_is_chosen_tells_its_files),
    TELL(files_of_a_younger_one_of_django_with_the_same_header_are_shared))

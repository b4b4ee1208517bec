/*
 * db/file_rows.c
 */
#include "db/file_rows.h"
#include "tests/support/hot_story.h"

static struct file_rows rows;

static void read_next(void)
{
    ck_assert_int_eq(file_rows_read(db, arena, &rows), DB_OK);
}

static void give_files(int64_t id, const char *keys)
{
    mariadb_run("UPDATE queue_submission SET s3_keys = '%s' WHERE id = %lld",
                keys, (long long)id);
}

START_TEST(without_submissions_there_is_nothing)
{
    rows = (struct file_rows){.last_id = 0};
    read_next();
    ck_assert_uint_eq(rows.count, 0);
    ck_assert(!rows.more);
    ck_assert_int_eq(rows.last_id, 0);
}
END_TEST

START_TEST(only_submissions_with_files_are_read)
{
    int64_t first = submit("7:a");
    int64_t none = submit("7:b");
    int64_t apart = submit("7:c");
    int64_t last = submit("7:d");

    rows = (struct file_rows){.last_id = 0};
    give_files(first, "{\"a\": \"k\"}");
    give_files(none, "");
    give_files(apart, "{\"KEY_FOR_EXTERNAL_DICTS\": \"xqueue_files\"}");
    mariadb_run("INSERT INTO xqueue_files (id, map) VALUES (%lld, '{long}')",
                (long long)apart);
    read_next();
    ck_assert_uint_eq(rows.count, 2);
    ck_assert_int_eq(rows.rows[0].id, first);
    ck_assert_str_eq(rows.rows[0].queue_name.data, "queue");
    ck_assert_str_eq(rows.rows[0].files.data, "{\"a\": \"k\"}");
    ck_assert(!rows.rows[0].has_map);
    ck_assert_int_eq(rows.rows[1].id, apart);
    ck_assert_str_eq(rows.rows[1].files.data, "{long}");
    ck_assert(rows.rows[1].has_map);
    ck_assert(rows.more);
    ck_assert_int_eq(rows.last_id, last);
    read_next();
    ck_assert_uint_eq(rows.count, 0);
    ck_assert(!rows.more);
}
END_TEST

START_TEST(a_piece_ends_and_the_next_goes_on)
{
    int64_t first = submit("7:a");

    rows = (struct file_rows){.last_id = 0};
    give_files(first, "{\"a\": \"k\"}");
    mariadb_run("INSERT INTO queue_submission (requester_id,"
                " lms_callback_url, queue_name, xqueue_header, xqueue_body,"
                " s3_keys, s3_urls, arrival_time, grader_id, pullkey,"
                " grader_reply, num_failures, lms_ack, retired) SELECT '', '',"
                " 'queue', '', '', IF(n < 20000, '{}', '{\"a\": \"k\"}'), '',"
                " NOW(6), '', '', '', 0, 0, 1 FROM " MARIADB_NUMBERS,
                20010);
    read_next();
    ck_assert_uint_eq(rows.count, 1);
    ck_assert(rows.more);
    read_next();
    ck_assert_uint_eq(rows.count, 11);
    ck_assert(rows.more);
    read_next();
    ck_assert(!rows.more);
}
END_TEST

HOT_STORY("rows with files", TELL(without_submissions_there_is_nothing),
          TELL(only_submissions_with_files_are_read),
          TELL(a_piece_ends_and_the_next_goes_on))

/*
 * db/files.c and what pulls and pushes make of it; db/submit_known.c,
 * db/pull_return.c, db/secret.c.
 */
#include "db/secret.h"
#include "tests/support/hot_story.h"

#include <stdio.h>
#include <string.h>

/* {"name": "xx..."} of so many bytes. */
static struct text map_of(const char *name, size_t size)
{
    char *text = arena_alloc(arena, size + 1);
    int head = snprintf(text, size, "{\"%s\": \"", name);

    memset(text + head, 'x', size - (size_t)head);
    memcpy(text + size - 2, "\"}", 3);
    return (struct text){text, size};
}

static int64_t submit_files(const char *header, struct text keys,
                            struct text urls)
{
    struct submission_insert insert = insert_of(header);

    insert.files = (struct file_texts){keys, urls};
    ck_assert_int_eq(db_run(db, &insert.job), DB_OK);
    return insert.id;
}

static void expect(struct text text, struct text expected)
{
    ck_assert(text_equal(text, expected));
}

START_TEST(maps_that_fit_stand_in_the_columns)
{
    struct text keys = map_of("a", 1024);
    struct text urls = map_of("b", 1024);
    int64_t id = submit_files("7:a", keys, urls);
    struct submission_pull pulled = pull();

    expect(text_of(wide("s3_keys", id)), keys);
    expect(text_of(wide("s3_urls", id)), urls);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_files");
    expect(pulled.files.keys, keys);
    expect(pulled.files.urls, urls);
}
END_TEST

START_TEST(long_urls_leave_a_note_and_short_keys_stay)
{
    struct text keys = map_of("a", 1024);
    int64_t id = submit_files("7:a", keys, map_of("b", 1025));

    expect(text_of(wide("s3_keys", id)), keys);
    ck_assert_str_eq(
        wide("s3_urls", id),
        "{\"URL_FOR_EXTERNAL_DICTS\": \"http://xqueue.invalid/\"}");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_files");
    expect(pull().files.keys, keys);
}
END_TEST

START_TEST(long_keys_have_a_row_of_their_own)
{
    struct text keys = map_of("a", 1025);
    int64_t id = submit_files("7:a", keys, map_of("b", 5000));
    struct submission_pull pulled;

    ck_assert_str_eq(wide("s3_keys", id),
                     "{\"KEY_FOR_EXTERNAL_DICTS\": \"xqueue_files\"}");
    pulled = pull();
    ck_assert_int_eq(pulled.id, id);
    expect(pulled.files.keys, keys);
    ck_assert(text_equal_string(pulled.files.urls, "{}"));
}
END_TEST

START_TEST(a_push_gets_them_too)
{
    struct text keys = map_of("a", 3000);
    struct push_claim claim;

    submit_files("7:a", keys, map_of("b", 5000));
    claim = push_claim(1, 1);
    expect(claim.items[0].files.keys, keys);
}
END_TEST

/* Only one of the batch needs a row. */
START_TEST(in_a_batch_each_has_its_own)
{
    struct submission_insert inserts[3] = {insert_of("7:a"), insert_of("7:b"),
                                           insert_of("7:c")};
    struct db_job *jobs[] = {&inserts[0].job, &inserts[1].job, &inserts[2].job};

    inserts[1].files = (struct file_texts){map_of("b", 2000), text_of("{}")};
    inserts[2].files =
        (struct file_texts){text_of("{\"c\": \"1\"}"), text_of("{}")};
    ck_assert_int_eq(run_batch(db, jobs, 3), DB_OK);
    ck_assert_str_eq(wide("s3_keys", inserts[0].id), "{}");
    ck_assert_str_eq(wide("s3_keys", inserts[2].id), "{\"c\": \"1\"}");
    ck_assert_str_eq(mariadb_value("SELECT GROUP_CONCAT(id) FROM xqueue_files"),
                     arena_printf(arena, "%lld", (long long)inserts[1].id));
}
END_TEST

/* Else one might be taken for a note. */
START_TEST(a_file_with_the_name_of_a_note_has_a_row)
{
    struct text keys = text_of("{\"KEY_FOR_EXTERNAL_DICTS\": \"k\"}");

    submit_files("7:a", keys, text_of("{\"URL_FOR_EXTERNAL_DICTS\": \"u\"}"));
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_files");
    expect(pull().files.keys, keys);
}
END_TEST

START_TEST(a_row_that_was_deleted_leaves_the_notes)
{
    submit_files("7:a", map_of("a", 2000), map_of("b", 5000));
    mariadb_run("DELETE FROM xqueue_files");
    ck_assert(text_equal_string(
        pull().files.urls,
        "{\"URL_FOR_EXTERNAL_DICTS\": \"http://xqueue.invalid/\"}"));
}
END_TEST

static bool is_known(const char *header)
{
    struct submission_insert like = insert_of(header);
    struct submission_known known = {
        .job.op = &submission_known_op,
        .queue_name = like.queue_name,
        .callback_url = like.callback_url,
        .header = like.header,
    };

    ck_assert_int_eq(db_run(db, &known.job), DB_OK);
    return known.is_known;
}

START_TEST(a_header_that_was_stored_is_known)
{
    ck_assert(!is_known("7:a"));
    submit("7:a");
    ck_assert(is_known("7:a"));
    ck_assert(!is_known("7:b"));
}
END_TEST

/* On whatever day, and if it was the Django server that stored it. */
START_TEST(a_header_that_was_stored_long_ago_is_known)
{
    submit("7:a");
    mariadb_run("UPDATE queue_submission SET"
                " xqueue_arrival_day = '2020-02-29'");
    submit("7:b");
    ck_assert(is_known("7:a"));
    mariadb_run("UPDATE queue_submission SET xqueue_arrival_day = NULL");
    ck_assert(is_known("7:a"));
    ck_assert(!is_known("7:c"));
}
END_TEST

static enum db_status give_back(int64_t id, const char *pullkey)
{
    struct pull_return back = {.job.op = &pull_return_op, .id = id};

    snprintf(back.pullkey, sizeof back.pullkey, "%s", pullkey);
    return db_run(db, &back.job);
}

START_TEST(a_pull_that_came_to_nothing_is_as_if_it_had_not_been)
{
    int64_t id = submit("7:a");
    struct submission_pull pulled = pull();

    ck_assert_int_eq(give_back(id, pulled.pullkey), DB_OK);
    pulled = pull();
    ck_assert_int_eq(pulled.id, id);
    ck_assert_int_eq(pulled.attempt, 1);
}
END_TEST

START_TEST(only_its_own_lease_is_given_back)
{
    int64_t id = submit("7:a");
    struct submission_pull pulled = pull();

    ck_assert_int_eq(give_back(id, "another key"), DB_OK);
    ck_assert_int_eq(give_back(id + 1, pulled.pullkey), DB_OK);
    ck_assert_str_eq(live_state(id), "1");
    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    ck_assert_int_eq(give_back(id, pulled.pullkey), DB_OK);
    ck_assert_str_eq(live_state(id), "2");
}
END_TEST

START_TEST(a_superseded_one_that_is_given_back_is_gone)
{
    int64_t id = submit("7:a");
    struct submission_pull pulled = pull();

    submit("7:a");
    ck_assert_int_eq(give_back(id, pulled.pullkey), DB_OK);
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(a_secret_is_made_once)
{
    unsigned char first[SECRET_SIZE] = {0};
    unsigned char second[SECRET_SIZE] = {0};
    unsigned char other[SECRET_SIZE] = {0};

    ck_assert_int_eq(secret_get(db, "one", first), DB_OK);
    ck_assert_int_eq(secret_get(other_db, "one", second), DB_OK);
    ck_assert_int_eq(secret_get(db, "other", other), DB_OK);
    ck_assert_mem_eq(first, second, SECRET_SIZE);
    ck_assert_mem_ne(first, other, SECRET_SIZE);
}
END_TEST

HOT_STORY("files", TELL(maps_that_fit_stand_in_the_columns),
          TELL(long_urls_leave_a_note_and_short_keys_stay),
          TELL(long_keys_have_a_row_of_their_own), TELL(a_push_gets_them_too),
          TELL(in_a_batch_each_has_its_own),
          TELL(a_file_with_the_name_of_a_note_has_a_row),
          TELL(a_row_that_was_deleted_leaves_the_notes),
          TELL(a_header_that_was_stored_is_known),
          TELL(a_header_that_was_stored_long_ago_is_known),
          TELL(a_pull_that_came_to_nothing_is_as_if_it_had_not_been),
          TELL(only_its_own_lease_is_given_back),
          TELL(a_superseded_one_that_is_given_back_is_gone),
          TELL(a_secret_is_made_once))

/*
 * Files of a submission, and who else is at them between the moment when they
 * are stored and the moment when the submission is.
 */
#include "db/named_lock.h"
#include "server/storage/file_key.h"
#include "tests/support/media_root.h"
#include "tests/support/program.h"
#include "tests/support/service_story.h"
#include "tests/support/upload.h"

#define HOUR 3600
#define URL  "http://127.0.0.1:1/a"
#define KEY  "0123456789abcdef0123456789abcdef"

/* Storing a submission waits while the test has this lock. */
#define HOLD_UP                                                                \
    "CREATE TRIGGER hold_up BEFORE INSERT ON queue_submission FOR EACH ROW"    \
    " SET NEW.num_failures = 0 * GET_LOCK('of the test', 20)"
#define HELD_UP                                                                \
    "SELECT COUNT(*) FROM information_schema.PROCESSLIST"                      \
    " WHERE STATE = 'User lock'"

static const struct upload uploads[] = {{"a.py", {"print(1)\n", 9}}};

static struct db_conn *holder;

static void begin(void)
{
    const struct db_settings *database = mariadb_database();

    own_service_begin(&(struct service_settings){.database = database});
    holder = db_conn_new(database);
}

static void end(void)
{
    db_conn_free(holder);
    own_service_end();
}

static void hold_up(void)
{
    mariadb_run(HOLD_UP);
    ck_assert_int_eq(db_execute_text(holder, "DO GET_LOCK('of the test', 20)"),
                     DB_OK);
}

/* Where nobody else has it. */
static const char *key_of(const char *header)
{
    char key[FILE_KEY_SIZE + 1];

    file_key(text_of(header), text_of("a.py"), key);
    return arena_strdup(scratch, key);
}

/* Its files are stored, and it is about to be. */
static void upload_and_wait(const char *header)
{
    lms_upload_begin(header, "b", uploads, 1);
    mariadb_wait_for_value("1", HELD_UP);
}

static struct program *start_command(const char *const *words)
{
    const char *const environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(service)), NULL};

    return program_start(words, environment);
}

static void expect_done(struct program *command)
{
    const int code = program_wait_for_exit(command, 60000);

    ck_assert_msg(code == 0, "%.*s",
                  TEXT_ARGUMENTS(program_output(command, scratch)));
    program_free(command);
}

/* Stored long ago, and over; its file is there or not. */
static void add_old_submission(const char *header, const char *key)
{
    mariadb_run("INSERT INTO queue_submission (requester_id, lms_callback_url,"
                " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
                " arrival_time, grader_id, pullkey, grader_reply, num_failures,"
                " lms_ack, retired) VALUES ('', '%s', 'test-pull', '%s', '',"
                " '{\"a.py\": \"%s\"}', '{}', NOW(6) - INTERVAL 8 DAY, '',"
                " '', '', 0, 1, 1)",
                URL, header, key);
}

static void expect_stored_with_files(void)
{
    expect_reply(http_read_reply(client), 0, "\"1\"");
    expect_files(grader_pull("test-pull").files, uploads, 1);
}

/*
 * The old one's file is gone, as a run leaves it that was interrupted; the same
 * comes again; and the next run deletes what is in the old row.
 */
START_TEST(deleting_an_old_submission_leaves_the_files_of_one_like_it)
{
    static const char *const command[] = {BINARY_DIR "/xqueue",
                                          "delete_old_submissions", NULL};
    const char *header = lms_header("test-pull", URL);

    add_old_submission(header, key_of(header));
    hold_up();
    upload_and_wait(header);
    expect_done(start_command(command));
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    db_conn_close(holder);
    expect_stored_with_files();
}
END_TEST

/* Its key is that of an orphan. */
START_TEST(deleting_orphans_leaves_the_files_of_what_is_being_stored)
{
    static const char *const command[] = {BINARY_DIR "/xqueue", "files",
                                          "--orphans", "--delete", NULL};
    const char *header = lms_header("test-pull", URL);
    const char *key = key_of(header);

    media_root_add("test-pull", key, text_of("of nobody"), 2 * HOUR);
    hold_up();
    upload_and_wait(header);
    expect_done(start_command(command));
    ck_assert(!media_root_has("test-pull", key));
    db_conn_close(holder);
    expect_stored_with_files();
}
END_TEST

/* Whoever has a list of files may be late with it. */
START_TEST(only_one_command_at_a_time_deletes_files)
{
    static const char *const commands[][5] = {
        {BINARY_DIR "/xqueue", "files", "--orphans", "--delete", NULL},
        {BINARY_DIR "/xqueue", "delete_old_submissions", NULL},
    };

    add_old_submission("header", KEY);
    media_root_add("test-pull", KEY, text_of("x"), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        struct program *command;
        size_t position = 0;
        bool is_ours;

        ck_assert_int_eq(named_lock_take(holder, "files", 0, &is_ours), DB_OK);
        ck_assert(is_ours);
        command = start_command(commands[i]);
        program_wait_for_line(command, scratch,
                              "another command is deleting files: waiting",
                              &position, 60000);
        ck_assert_uint_eq(media_root_count("test-pull"), 1);
        db_conn_close(holder);
        expect_done(command);
    }
    ck_assert_uint_eq(media_root_count("test-pull"), 0);
}
END_TEST

START_TEST(files_stored_before_the_database_went_away_are_orphans)
{
    const char *header = lms_header("test-pull", URL);
    const char *key = key_of(header);
    struct text output;

    hold_up();
    upload_and_wait(header);
    mariadb_kill();
    expect_status(http_read_reply(client), 503, NULL);
    mariadb_restart();
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    ck_assert(media_root_has("test-pull", key));
    media_root_set_age("test-pull", key, 2 * HOUR);
    (void)service_command(service, &output, "files", "--orphans", NULL);
    expect_text(output, "1 files with 9 bytes belong to no submission\n");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(deleting_an_old_submission_leaves_the_files_of_one_like_it),
        TELL(deleting_orphans_leaves_the_files_of_what_is_being_stored),
        TELL(only_one_command_at_a_time_deletes_files),
        TELL(files_stored_before_the_database_went_away_are_orphans),
    };
    static const struct story story = {
        .name = "files of a submission, and others",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = end,
        .timeout_s = 120,
    };

    return story_run(&story);
}

/*
 * db/session.c
 */
#include "db/session.h"

#include "db/epoch.h"
#include "server/base/clock.h"
#include "tests/support/conn_story.h"
#include "tests/support/cutter.h"

#include <string.h>

enum { TWO_WEEKS_S = 1209600 };

static void set_up(void)
{
    conn_story_begin();
    mariadb_run(
        "INSERT INTO auth_user VALUES"
        " (1, 'hash', NULL, 0, 'lms', '', '', '', 0, 1, '2026-01-01'),"
        " (2, 'other', NULL, 0, 'grader', '', '', '', 0, 1, '2026-01-01')");
}

/* Bytes that are no UTF-8, and a zero among them. */
static void set_id(unsigned char *id, int number)
{
    memset(id, 0xff, SHA256_SIZE);
    id[1] = 0;
    id[2] = (unsigned char)number;
}

static struct session_open open_for(int number, const char *username,
                                    const char *hash)
{
    struct session_open self = {
        .job.op = &session_open_op,
        .username = text_of(username),
        .age_s = TWO_WEEKS_S,
    };

    set_id(self.id, number);
    session_password_of(text_of(hash), self.password);
    return self;
}

static struct session_open open_of(int number)
{
    return open_for(number, "lms", "hash");
}

static struct session_load load_of(int number)
{
    struct session_load self = {
        .job.op = &session_load_op,
        .arena = arena,
    };

    set_id(self.id, number);
    return self;
}

static void open_session(int number)
{
    struct session_open self = open_of(number);

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
}

static enum db_status load(int number)
{
    struct session_load self = load_of(number);

    return db_run(db, &self.job);
}

static void end_session(int number)
{
    struct session_end self = {.job.op = &session_end_op};

    set_id(self.id, number);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
}

static int64_t epoch(void)
{
    struct epoch_load self = {.job.op = &epoch_load_op};

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self.number;
}

START_TEST(an_opened_session_is_loaded_with_its_user)
{
    struct session_load self = load_of(7);

    ck_assert_int_eq(load(7), DB_NOT_FOUND);
    open_session(7);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_int_eq(self.user_id, 1);
    ck_assert(text_equal_string(self.username, "lms"));
    ck_assert_int_eq(self.session_epoch, 1);
}
END_TEST

START_TEST(a_session_lasts_as_long_as_it_was_opened_for)
{
    struct session_load self = load_of(1);

    open_session(1);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_int_gt(self.remaining_us, INT64_C(1209590000000));
    ck_assert_int_le(self.remaining_us, INT64_C(1209600000000));
}
END_TEST

START_TEST(an_expired_session_is_not_found)
{
    open_session(1);
    mariadb_run("UPDATE xqueue_session SET expires_us ="
                " UNIX_TIMESTAMP(NOW(6)) * 1000000 - 1");
    ck_assert_int_eq(load(1), DB_NOT_FOUND);
}
END_TEST

START_TEST(a_changed_password_ends_sessions_even_without_an_epoch)
{
    open_session(1);
    mariadb_run("UPDATE auth_user SET password = 'hashh' WHERE id = 2");
    ck_assert_int_eq(load(1), DB_OK);
    mariadb_run("UPDATE auth_user SET password = 'hashh' WHERE id = 1");
    ck_assert_int_eq(load(1), DB_NOT_FOUND);
}
END_TEST

START_TEST(only_an_active_user_with_that_hash_gets_a_session)
{
    struct session_open opens[] = {
        open_for(1, "lms", "the one before"), open_for(2, "LMS", "hash"),
        open_for(3, "nobody", "hash"), open_for(4, "lms", "other"),
        open_for(5, "grader", "other")};

    mariadb_run("UPDATE auth_user SET is_active = 0 WHERE id = 2");
    for (size_t i = 0; i < ARRAY_LENGTH(opens); i++)
        ck_assert_int_eq(db_run(db, &opens[i].job), DB_NOT_FOUND);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_session");
    ck_assert_value("0", "SELECT COUNT(*) FROM auth_user"
                         " WHERE last_login IS NOT NULL");
}
END_TEST

START_TEST(a_user_switched_off_or_deleted_has_no_sessions)
{
    open_session(1);
    mariadb_run("UPDATE auth_user SET is_active = 0 WHERE id = 1");
    ck_assert_int_eq(load(1), DB_NOT_FOUND);
    mariadb_run("UPDATE auth_user SET is_active = 1 WHERE id = 1");
    ck_assert_int_eq(load(1), DB_OK);
    mariadb_run("DELETE FROM auth_user WHERE id = 1");
    ck_assert_int_eq(load(1), DB_NOT_FOUND);
}
END_TEST

START_TEST(many_sessions_are_opened_and_loaded_at_once)
{
    struct session_open opens[13];
    struct session_load loads[13];
    struct db_job *jobs[13];

    for (int i = 0; i < 13; i++) {
        opens[i] = open_of(i);
        if (i == 5)
            opens[i] = open_for(i, "grader", "other");
        if (i == 6)
            opens[i] = open_for(i, "lms", "the one before");
        jobs[i] = &opens[i].job;
    }
    ck_assert_int_eq(session_open_op.run_batch(db, jobs, 13), DB_OK);
    ck_assert_value("12", "SELECT COUNT(*) FROM xqueue_session");
    for (int i = 0; i < 13; i++) {
        ck_assert_int_eq(jobs[i]->status, i == 6 ? DB_NOT_FOUND : DB_OK);
        ck_assert_int_eq(opens[i].user_id, i == 6 ? 0 : i == 5 ? 2 : 1);
        loads[i] = load_of(i == 12 ? 99 : i);
        jobs[i] = &loads[i].job;
    }
    ck_assert_int_eq(session_load_op.run_batch(db, jobs, 13), DB_OK);
    ck_assert_int_eq(jobs[0]->status, DB_OK);
    ck_assert_int_eq(loads[0].user_id, 1);
    ck_assert_int_eq(jobs[5]->status, DB_OK);
    ck_assert(text_equal_string(loads[5].username, "grader"));
    ck_assert_int_eq(jobs[11]->status, DB_OK);
    ck_assert_int_eq(jobs[12]->status, DB_NOT_FOUND);
}
END_TEST

START_TEST(an_id_opens_one_session_only)
{
    struct session_open opens[] = {open_of(1), open_of(2), open_of(2)};

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(db_run(db, &opens[i].job),
                         i < 2 ? DB_OK : DB_DUPLICATE);
    ck_assert_int_eq(load(1), DB_OK);
    ck_assert_int_eq(load(2), DB_OK);
}
END_TEST

START_TEST(last_login_becomes_now_when_it_is_stale)
{
    open_session(1);
    ck_assert_value(
        "1", "SELECT COUNT(*) FROM auth_user WHERE id = 1 AND"
             " ABS(TIMESTAMPDIFF(SECOND, last_login, UTC_TIMESTAMP())) < 60");
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user"
                         " WHERE id = 2 AND last_login IS NULL");
}
END_TEST

START_TEST(last_login_changes_at_most_once_a_minute)
{
    mariadb_run("UPDATE auth_user SET last_login = '2026-01-01' WHERE id = 2");
    mariadb_run("UPDATE auth_user SET last_login ="
                " UTC_TIMESTAMP(6) - INTERVAL 30 SECOND WHERE id = 1");
    open_session(1);
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user WHERE id = 1 AND"
                         " last_login < UTC_TIMESTAMP(6) - INTERVAL 29 SECOND");
    open_session(2);
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user"
                         " WHERE last_login = '2026-01-01'");
}
END_TEST

/* Its last_login is for the next one to change. */
START_TEST(a_user_whom_somebody_else_has_locked_logs_in_at_once)
{
    const int64_t start_ms = clock_monotonic_ms();
    struct db_conn *other = db_conn_new(database);

    ck_assert_int_eq(db_conn_open(other), DB_OK);
    ck_assert_int_eq(db_execute_text(other, "START TRANSACTION"), DB_OK);
    ck_assert_int_eq(db_execute_text(other, "UPDATE auth_user SET email = 'e'"
                                            " WHERE id = 1"),
                     DB_OK);
    open_session(1);
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, 2000);
    ck_assert_int_eq(db_execute_text(other, "ROLLBACK"), DB_OK);
    db_conn_free(other);
    ck_assert_int_eq(load(1), DB_OK);
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user"
                         " WHERE id = 1 AND last_login IS NULL");
    open_session(2);
    ck_assert_value("0", "SELECT COUNT(*) FROM auth_user"
                         " WHERE id = 1 AND last_login IS NULL");
}
END_TEST

START_TEST(an_ended_session_is_gone_and_the_epoch_advances)
{
    open_session(1);
    open_session(2);
    end_session(1);
    ck_assert_int_eq(load(1), DB_NOT_FOUND);
    ck_assert_int_eq(load(2), DB_OK);
    ck_assert_int_eq(epoch(), 2);
}
END_TEST

START_TEST(ending_no_session_leaves_the_epoch_alone)
{
    end_session(1);
    ck_assert_int_eq(epoch(), 1);
}
END_TEST

START_TEST(several_sessions_ended_at_once_advance_the_epoch_once)
{
    struct session_end ends[3];
    struct db_job *jobs[3];

    for (int i = 0; i < 3; i++) {
        open_session(i);
        ends[i] = (struct session_end){.job.op = &session_end_op};
        set_id(ends[i].id, i);
        jobs[i] = &ends[i].job;
    }
    ck_assert_int_eq(session_end_op.run_batch(db, jobs, 3), DB_OK);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_session");
    ck_assert_int_eq(epoch(), 2);
}
END_TEST

START_TEST(what_is_read_before_a_logout_has_the_epoch_before_it)
{
    struct session_load self = load_of(1);
    struct session_open open = open_of(1);

    ck_assert_int_eq(db_run(db, &open.job), DB_OK);
    ck_assert_int_eq(open.session_epoch, 1);
    open_session(2);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    end_session(2);
    ck_assert_int_eq(self.session_epoch, 1);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_int_eq(self.session_epoch, 2);
    open = open_of(3);
    ck_assert_int_eq(db_run(db, &open.job), DB_OK);
    ck_assert_int_eq(open.session_epoch, 2);
}
END_TEST

START_TEST(expired_sessions_are_forgotten_a_few_at_a_time)
{
    struct sessions_forget_expired self = {
        .job.op = &sessions_forget_expired_op,
        .limit = 2,
    };

    for (int i = 0; i < 4; i++)
        open_session(i);
    mariadb_run(
        "UPDATE xqueue_session SET expires_us = 1000 ORDER BY id LIMIT 3");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.deleted, 2);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.deleted, 1);
    ck_assert_int_eq(load(3), DB_OK);
    ck_assert_int_eq(epoch(), 1);
}
END_TEST

START_TEST(a_session_survives_a_lost_connection)
{
    open_session(1);
    db_conn_close(db);
    ck_assert_int_eq(load(1), DB_OK);
}
END_TEST

/* --- when the answer to an INSERT is lost --- */

static void open_through_cutter(enum cut cut, enum db_status expected)
{
    struct db_settings through;
    struct cutter *cutter = cutter_start_at("INSERT INTO xqueue_session",
                                            database, cut, 1, &through);
    struct db_conn *conn = db_conn_new(&through);
    struct session_open opens[] = {open_of(1), open_of(2)};
    struct db_job *jobs[] = {&opens[0].job, &opens[1].job};

    ck_assert_int_eq(db_conn_open(conn), DB_OK);
    ck_assert_int_eq(session_open_op.run_batch(conn, jobs, 2), expected);
    db_conn_free(conn);
    cutter_stop(cutter);
}

START_TEST(sessions_that_were_stored_without_an_answer_are_stored_anew)
{
    open_through_cutter(CUT_REPLY, DB_OK);
    ck_assert_int_eq(load(1), DB_OK);
    ck_assert_int_eq(load(2), DB_OK);
    ck_assert_value("2", "SELECT COUNT(*) FROM xqueue_session");
}
END_TEST

START_TEST(sessions_that_never_arrived_are_stored)
{
    open_through_cutter(CUT_BEFORE, DB_OK);
    ck_assert_int_eq(load(1), DB_OK);
    ck_assert_int_eq(load(2), DB_OK);
}
END_TEST

START_TEST(sessions_that_nobody_can_store_are_not_waited_for)
{
    const int64_t start_ms = clock_monotonic_ms();

    open_through_cutter(CUT_FOR_EVER, DB_AWAY);
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, 5000);
}
END_TEST

/* A look at the users, and the INSERT, of any number. */
START_TEST(a_batch_of_logins_takes_two_trips)
{
    struct session_open opens[13];
    struct db_job *jobs[13];
    uint64_t before;

    open_session(99);
    for (int i = 0; i < 13; i++) {
        opens[i] = open_of(i);
        jobs[i] = &opens[i].job;
    }
    before = db_conn_trips(db);
    ck_assert_int_eq(session_open_op.run_batch(db, jobs, 13), DB_OK);
    ck_assert_uint_eq(db_conn_trips(db) - before, 2);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_opened_session_is_loaded_with_its_user),
        TELL(a_session_lasts_as_long_as_it_was_opened_for),
        TELL(an_expired_session_is_not_found),
        TELL(a_changed_password_ends_sessions_even_without_an_epoch),
        TELL(only_an_active_user_with_that_hash_gets_a_session),
        TELL(a_user_switched_off_or_deleted_has_no_sessions),
        TELL(many_sessions_are_opened_and_loaded_at_once),
        TELL(an_id_opens_one_session_only),
        TELL(last_login_becomes_now_when_it_is_stale),
        TELL(last_login_changes_at_most_once_a_minute),
        TELL(a_user_whom_somebody_else_has_locked_logs_in_at_once),
        TELL(an_ended_session_is_gone_and_the_epoch_advances),
        TELL(ending_no_session_leaves_the_epoch_alone),
        TELL(several_sessions_ended_at_once_advance_the_epoch_once),
        TELL(what_is_read_before_a_logout_has_the_epoch_before_it),
        TELL(expired_sessions_are_forgotten_a_few_at_a_time),
        TELL(a_session_survives_a_lost_connection),
        TELL(sessions_that_were_stored_without_an_answer_are_stored_anew),
        TELL(sessions_that_never_arrived_are_stored),
        TELL(sessions_that_nobody_can_store_are_not_waited_for),
        TELL(a_batch_of_logins_takes_two_trips),
    };
    static const struct story story = {
        .name = "sessions",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = conn_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}

/*
 * db/user.c
 */
#include "db/user.h"

#include "db/epoch.h"
#include "tests/support/conn_story.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct user_load load_of(const char *name)
{
    return (struct user_load){
        .job.op = &user_load_op,
        .arena = arena,
        .username = text_of(name),
    };
}

static enum db_status load_text(struct text name)
{
    struct user_load load = load_of("");

    load.username = name;
    return db_run(db, &load.job);
}

static enum db_status load(const char *name)
{
    return load_text(text_of(name));
}

static enum db_status store(const char *name, const char *password)
{
    struct user_store self = {
        .job.op = &user_store_op,
        .username = text_of(name),
        .password = text_of(password),
    };

    return db_run(db, &self.job);
}

static int64_t epoch(void)
{
    struct epoch_load self = {.job.op = &epoch_load_op};

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self.number;
}

START_TEST(a_stored_user_is_loaded)
{
    struct user_load self = load_of("lms");

    ck_assert_int_eq(load("lms"), DB_NOT_FOUND);
    ck_assert_int_eq(store("lms", "hash"), DB_OK);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_int_gt(self.user.id, 0);
    ck_assert(text_equal_string(self.user.username, "lms"));
    ck_assert(text_equal_string(self.user.password, "hash"));
    ck_assert(self.user.is_active);
    ck_assert(!self.user.is_staff);
    ck_assert(!self.user.is_superuser);
}
END_TEST

START_TEST(a_created_user_looks_as_django_makes_it)
{
    struct user_store self = {
        .job.op = &user_store_op,
        .username = text_of("lms"),
        .password = text_of("hash"),
    };

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert(self.created);
    ck_assert_value(
        "1", "SELECT COUNT(*) FROM auth_user WHERE username = 'lms'"
             " AND email = 'lms@dummy.edx.org' AND first_name = ''"
             " AND last_name = '' AND is_active = 1 AND is_staff = 0"
             " AND is_superuser = 0 AND last_login IS NULL"
             " AND ABS(TIMESTAMPDIFF(SECOND, date_joined, UTC_TIMESTAMP()))"
             " < 60");
    ck_assert_int_eq(epoch(), 1);
}
END_TEST

START_TEST(storing_again_changes_the_password_and_nothing_else)
{
    struct user_store self = {
        .job.op = &user_store_op,
        .username = text_of("lms"),
        .password = text_of("new"),
    };

    ck_assert_int_eq(store("lms", "old"), DB_OK);
    mariadb_run(
        "UPDATE auth_user SET email = 'a@b', is_active = 0, is_staff = 1");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert(!self.created);
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user WHERE email = 'a@b'"
                         " AND is_active = 0 AND is_staff = 1"
                         " AND password = 'new'");
}
END_TEST

START_TEST(a_changed_password_advances_the_epoch)
{
    ck_assert_int_eq(store("lms", "old"), DB_OK);
    ck_assert_int_eq(store("lms", "new"), DB_OK);
    ck_assert_int_eq(epoch(), 2);
    mariadb_run("DELETE FROM xqueue_epoch");
    ck_assert_int_eq(epoch(), 0);
    ck_assert_int_eq(store("lms", "newer"), DB_OK);
    ck_assert_int_eq(epoch(), 1);
}
END_TEST

START_TEST(several_users_are_loaded_at_once)
{
    struct user_load loads[] = {load_of("one"), load_of("nobody"),
                                load_of("three"), load_of("one")};
    struct db_job *jobs[] = {&loads[0].job, &loads[1].job, &loads[2].job,
                             &loads[3].job};

    ck_assert_int_eq(store("one", "1"), DB_OK);
    ck_assert_int_eq(store("three", "3"), DB_OK);
    ck_assert_int_eq(user_load_op.run_batch(db, jobs, 4), DB_OK);
    ck_assert_int_eq(jobs[0]->status, DB_OK);
    ck_assert_int_eq(jobs[1]->status, DB_NOT_FOUND);
    ck_assert_int_eq(jobs[2]->status, DB_OK);
    ck_assert_int_eq(jobs[3]->status, DB_OK);
    ck_assert(text_equal_string(loads[2].user.password, "3"));
    ck_assert(text_equal_string(loads[3].user.password, "1"));
}
END_TEST

START_TEST(a_name_must_be_equal_byte_for_byte)
{
    ck_assert_int_eq(store("lms", "hash"), DB_OK);
    ck_assert_int_eq(load("LMS"), DB_NOT_FOUND);
    ck_assert_int_eq(load("lms "), DB_NOT_FOUND);
    ck_assert_int_eq(load("lm\303\237"), DB_NOT_FOUND);
    ck_assert_int_eq(load("' OR 1=1 --"), DB_NOT_FOUND);
}
END_TEST

START_TEST(a_name_that_the_collation_takes_for_another_is_a_duplicate)
{
    ck_assert_int_eq(store("lms", "hash"), DB_OK);
    ck_assert_int_eq(store("LMS", "other"), DB_DUPLICATE);
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user"
                         " WHERE password = 'hash'");
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user");
}
END_TEST

START_TEST(what_is_no_name_is_not_found_and_not_stored)
{
    char name[152];

    memset(name, 'x', sizeof name);
    name[151] = '\0';
    ck_assert_int_eq(load(name), DB_NOT_FOUND);
    ck_assert_int_eq(store(name, "hash"), DB_REFUSED);
    name[150] = '\0';
    ck_assert_int_eq(store(name, "hash"), DB_OK);
    ck_assert_int_eq(load(name), DB_OK);
    ck_assert_int_eq(load(""), DB_NOT_FOUND);
    ck_assert_int_eq(store("", "hash"), DB_REFUSED);
    ck_assert_int_eq(load("\377"), DB_NOT_FOUND);
    ck_assert_int_eq(store("\377", "hash"), DB_REFUSED);
    ck_assert_int_eq(load_text(TEXT_ABSENT), DB_NOT_FOUND);
}
END_TEST

START_TEST(a_nul_belongs_to_the_name)
{
    ck_assert_int_eq(store("lms", "hash"), DB_OK);
    ck_assert_int_eq(load_text((struct text){"lms\0", 4}), DB_NOT_FOUND);
    ck_assert_int_eq(load_text((struct text){"lms\0x", 5}), DB_NOT_FOUND);
}
END_TEST

START_TEST(a_name_beyond_an_old_character_set_is_just_not_found)
{
    struct user_load loads[] = {load_of("lms"), load_of("\360\237\246\212"),
                                load_of("\342\230\203")};
    static const char *const character_sets[] = {"latin1", "utf8mb3"};

    ck_assert_int_eq(store("lms", "hash"), DB_OK);
    for (size_t i = 0; i < ARRAY_LENGTH(character_sets); i++) {
        mariadb_run("ALTER TABLE auth_user MODIFY username VARCHAR(150)"
                    " CHARACTER SET %s NOT NULL",
                    character_sets[i]);
        ck_assert_int_eq(db_run(db, &loads[0].job), DB_OK);
        ck_assert_int_eq(db_run(db, &loads[1].job), DB_NOT_FOUND);
        ck_assert_int_eq(db_run(db, &loads[2].job), DB_NOT_FOUND);
    }
}
END_TEST

START_TEST(names_of_any_alphabet_work)
{
    ck_assert_int_eq(store("\320\273\320\274\321\201", "hash"), DB_OK);
    ck_assert_int_eq(store("\360\237\246\212", "fox"), DB_OK);
    ck_assert_int_eq(load("\320\273\320\274\321\201"), DB_OK);
    ck_assert_int_eq(load("\360\237\246\212"), DB_OK);
}
END_TEST

/* --- by several connections at once ------------------------------------ */

static void wake(void *context)
{
    const uint64_t one = 1;

    ck_assert_int_eq(write(*(int *)context, &one, sizeof one), sizeof one);
}

static void count_done(struct db_job *job)
{
    (*(size_t *)job->context)++;
}

/* Until all are done. */
static void run_in_pool(struct db_job **jobs, size_t count)
{
    size_t done = 0;
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    struct db_pool *pool = db_pool_start(&(struct db_pool_settings){
        .database = database,
        .connections = 4,
        .max_waiting = count,
        .wake = wake,
        .wake_context = &wake_fd,
    });
    struct pollfd wanted = {.fd = wake_fd, .events = POLLIN};
    uint64_t wakes;

    while (!db_pool_is_up(pool))
        poll(NULL, 0, 5);
    for (size_t i = 0; i < count; i++) {
        jobs[i]->done = count_done;
        jobs[i]->context = &done;
        ck_assert(db_pool_put(pool, jobs[i]));
    }
    db_pool_call(pool);
    while (done < count) {
        ck_assert_int_eq(poll(&wanted, 1, 20000), 1);
        ck_assert_int_eq(read(wake_fd, &wakes, sizeof wakes), sizeof wakes);
        db_pool_collect(pool);
    }
    db_pool_stop(pool);
    close(wake_fd);
}

START_TEST(several_who_create_one_user_make_one)
{
    struct user_store stores[16];
    struct db_job *jobs[16];
    int created = 0;

    for (int i = 0; i < 16; i++) {
        stores[i] = (struct user_store){
            .job.op = &user_store_op,
            .username = text_of("lms"),
            .password = text_of("hash"),
        };
        jobs[i] = &stores[i].job;
    }
    run_in_pool(jobs, 16);
    for (int i = 0; i < 16; i++) {
        ck_assert_msg(jobs[i]->status == DB_OK, "%s", jobs[i]->error);
        created += stores[i].created;
    }
    ck_assert_int_eq(created, 1);
    ck_assert_value("1", "SELECT COUNT(*) FROM auth_user");
}
END_TEST

START_TEST(an_inexpressible_name_does_not_fail_its_neighbours)
{
    struct user_load loads[16];
    struct db_job *jobs[16];

    ck_assert_int_eq(store("lms", "hash"), DB_OK);
    mariadb_run("ALTER TABLE auth_user MODIFY username VARCHAR(150)"
                " CHARACTER SET latin1 NOT NULL");
    for (int i = 0; i < 16; i++) {
        loads[i] = load_of(i == 7 ? "\360\237\246\212" : "lms");
        loads[i].arena = arena_new();
        jobs[i] = &loads[i].job;
    }
    run_in_pool(jobs, 16);
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(jobs[i]->status, i == 7 ? DB_NOT_FOUND : DB_OK);
        arena_free(loads[i].arena);
    }
}
END_TEST

START_TEST(the_list_is_by_id_and_limited)
{
    struct user_list self = {
        .job.op = &user_list_op,
        .arena = arena,
        .limit = 2,
    };

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.count, 0);
    ck_assert_int_eq(store("b", "1"), DB_OK);
    ck_assert_int_eq(store("a", "2"), DB_OK);
    ck_assert_int_eq(store("c", "3"), DB_OK);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.count, 2);
    ck_assert(text_equal_string(self.users[0].username, "b"));
    ck_assert(text_equal_string(self.users[1].username, "a"));
}
END_TEST

START_TEST(an_unreachable_database_is_not_a_missing_user)
{
    mariadb_run("RENAME TABLE auth_user TO auth_user_away");
    ck_assert_int_eq(load("lms"), DB_FAILED);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_stored_user_is_loaded),
        TELL(a_created_user_looks_as_django_makes_it),
        TELL(storing_again_changes_the_password_and_nothing_else),
        TELL(a_changed_password_advances_the_epoch),
        TELL(several_users_are_loaded_at_once),
        TELL(a_name_must_be_equal_byte_for_byte),
        TELL(a_name_that_the_collation_takes_for_another_is_a_duplicate),
        TELL(what_is_no_name_is_not_found_and_not_stored),
        TELL(a_nul_belongs_to_the_name),
        TELL(a_name_beyond_an_old_character_set_is_just_not_found),
        TELL(names_of_any_alphabet_work),
        TELL(several_who_create_one_user_make_one),
        TELL(an_inexpressible_name_does_not_fail_its_neighbours),
        TELL(the_list_is_by_id_and_limited),
        TELL(an_unreachable_database_is_not_a_missing_user),
    };
    static const struct story story = {
        .name = "users",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = conn_story_begin,
        .after_each = conn_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}

/*
 * server/session/update_users.c
 */
#include "server/session/update_users.h"

#include "db/epoch.h"
#include "db/session.h"
#include "db/user.h"
#include "server/base/password.h"
#include "tests/support/conn_story.h"

#include <stdio.h>
#include <string.h>

static char told[200];

static void tell(void *context, const struct config_user *user,
                 enum user_outcome outcome)
{
    size_t size = strlen(told);

    (void)context;
    snprintf(told + size, sizeof told - size, "%s=%d ", user->name,
             (int)outcome);
}

static enum db_status update(const struct config_user *users, size_t count,
                             struct update_users *self)
{
    *self = (struct update_users){
        .users = users,
        .count = count,
        .iterations = 1,
        .progress = tell,
    };
    told[0] = '\0';
    return update_users(db, self);
}

static struct text stored_hash(const char *name)
{
    struct user_load load = {
        .job.op = &user_load_op,
        .arena = arena,
        .username = text_of(name),
    };

    ck_assert_int_eq(db_run(db, &load.job), DB_OK);
    return load.user.password;
}

static bool can_log_in(const char *name, const char *password)
{
    return password_verify(text_of(password), stored_hash(name), 0);
}

START_TEST(missing_users_are_created)
{
    const struct config_user users[] = {{"lms", "password"}, {"two", "2"}};
    struct update_users self;

    ck_assert_int_eq(update(users, 2, &self), DB_OK);
    ck_assert_uint_eq(self.outcomes[USER_CREATED], 2);
    ck_assert_str_eq(told, "lms=0 two=0 ");
    ck_assert(can_log_in("lms", "password"));
    ck_assert(can_log_in("two", "2"));
    ck_assert(!can_log_in("two", "password"));
}
END_TEST

START_TEST(an_unchanged_password_keeps_its_hash)
{
    const struct config_user users[] = {{"lms", "password"}};
    struct update_users self;
    struct text before;

    ck_assert_int_eq(update(users, 1, &self), DB_OK);
    before = stored_hash("lms");
    ck_assert_int_eq(update(users, 1, &self), DB_OK);
    ck_assert_uint_eq(self.outcomes[USER_CREATED], 0);
    ck_assert_uint_eq(self.outcomes[USER_UNCHANGED], 1);
    ck_assert(text_equal(stored_hash("lms"), before));
}
END_TEST

START_TEST(a_changed_password_replaces_the_old_one)
{
    const struct config_user before[] = {{"lms", "password"}};
    const struct config_user after[] = {{"lms", "secret"}};
    struct update_users self;

    ck_assert_int_eq(update(before, 1, &self), DB_OK);
    ck_assert_int_eq(update(after, 1, &self), DB_OK);
    ck_assert_uint_eq(self.outcomes[USER_CHANGED], 1);
    ck_assert(can_log_in("lms", "secret"));
    ck_assert(!can_log_in("lms", "password"));
}
END_TEST

START_TEST(an_unusable_password_becomes_a_usable_one)
{
    const struct config_user users[] = {{"lms", "password"}};
    struct user_store store = {
        .job.op = &user_store_op,
        .username = text_of("lms"),
        .password = text_of("!unusable"),
    };
    struct update_users self;

    ck_assert_int_eq(db_run(db, &store.job), DB_OK);
    ck_assert_int_eq(update(users, 1, &self), DB_OK);
    ck_assert_uint_eq(self.outcomes[USER_CHANGED], 1);
    ck_assert(can_log_in("lms", "password"));
}
END_TEST

START_TEST(sessions_survive_when_nothing_changed)
{
    const struct config_user users[] = {{"lms", "password"}};
    struct session_open open = {
        .job.op = &session_open_op,
        .username = text_of("lms"),
        .age_s = 3600,
    };
    struct session_load load = {.job.op = &session_load_op, .arena = arena};
    struct update_users self;

    ck_assert_int_eq(update(users, 1, &self), DB_OK);
    session_password_of(stored_hash("lms"), open.password);
    ck_assert_int_eq(db_run(db, &open.job), DB_OK);
    ck_assert_int_eq(update(users, 1, &self), DB_OK);
    ck_assert_int_eq(db_run(db, &load.job), DB_OK);
    ck_assert_int_eq(load.session_epoch, 1);
}
END_TEST

START_TEST(impossible_users_are_reported_and_the_others_made)
{
    static char password[4098];
    const struct config_user users[] = {{"lms", "password"},
                                        {"LMS", "password"},
                                        {"long", password},
                                        {"", "password"},
                                        {"last", "password"}};
    struct update_users self;

    memset(password, 'x', 4097);
    ck_assert_int_eq(update(users, 5, &self), DB_OK);
    ck_assert_str_eq(told, "lms=0 LMS=3 long=4 =4 last=0 ");
    ck_assert_uint_eq(self.outcomes[USER_CLASHES], 1);
    ck_assert_uint_eq(self.outcomes[USER_REFUSED], 2);
    ck_assert_uint_eq(self.outcomes[USER_CREATED], 2);
}
END_TEST

START_TEST(a_failing_database_stops_it)
{
    const struct config_user users[] = {{"lms", "password"}, {"two", "2"}};
    struct update_users self;

    mariadb_run("RENAME TABLE auth_user TO auth_user_away");
    ck_assert_int_eq(update(users, 2, &self), DB_FAILED);
    ck_assert_str_eq(told, "");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(missing_users_are_created),
        TELL(an_unchanged_password_keeps_its_hash),
        TELL(a_changed_password_replaces_the_old_one),
        TELL(an_unusable_password_becomes_a_usable_one),
        TELL(sessions_survive_when_nothing_changed),
        TELL(impossible_users_are_reported_and_the_others_made),
        TELL(a_failing_database_stops_it),
    };
    static const struct story story = {
        .name = "update_users",
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

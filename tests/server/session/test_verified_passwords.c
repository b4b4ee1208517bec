/*
 * server/session/verified_passwords.c
 */
#include "server/session/verified_passwords.h"

#include "db/session.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <string.h>

#define HASH "pbkdf2_sha256$1$salt$key"

enum { NOW = 1000, HOUR = 3600000 };

static struct verified_passwords *verified;

static void set_up(void)
{
    verified = verified_passwords_new();
}

static void tear_down(void)
{
    verified_passwords_free(verified);
}

static void remember(const char *name, const char *password, const char *stored)
{
    verified_passwords_remember(verified, text_of(name), text_of(password),
                                text_of(stored), NOW);
}

/* Against that hash? */
static bool knows(const char *name, const char *password, const char *stored,
                  int64_t now_ms)
{
    unsigned char digest[SESSION_PASSWORD_SIZE];
    const unsigned char *found = verified_passwords_find(
        verified, text_of(name), text_of(password), now_ms);

    session_password_of(text_of(stored), digest);
    return found != NULL && memcmp(found, digest, sizeof digest) == 0;
}

START_TEST(a_remembered_pair_is_known)
{
    ck_assert(!knows("lms", "password", HASH, NOW));
    remember("lms", "password", HASH);
    ck_assert(knows("lms", "password", HASH, NOW));
}
END_TEST

START_TEST(another_name_or_password_is_not_known)
{
    remember("lms", "password", HASH);
    ck_assert(!knows("lms2", "password", HASH, NOW));
    ck_assert(!knows("lms", "Password", HASH, NOW));
    ck_assert(!knows("lms", "", HASH, NOW));
}
END_TEST

START_TEST(a_pair_is_known_with_the_last_hash_it_was_verified_against)
{
    remember("lms", "password", HASH);
    ck_assert(!knows("lms", "password", "pbkdf2_sha256$1$salt$kez", NOW));
    remember("lms", "password", "pbkdf2_sha256$1$salt$kez");
    ck_assert(knows("lms", "password", "pbkdf2_sha256$1$salt$kez", NOW));
    ck_assert(!knows("lms", "password", HASH, NOW));
}
END_TEST

START_TEST(moving_a_byte_between_the_parts_makes_another_pair)
{
    remember("lm", "spassword", HASH);
    ck_assert(!knows("lms", "password", HASH, NOW));
    ck_assert(!knows("l", "mspassword", HASH, NOW));
}
END_TEST

START_TEST(a_pair_is_known_for_an_hour)
{
    remember("lms", "password", HASH);
    ck_assert(knows("lms", "password", HASH, NOW + HOUR - 1));
    ck_assert(!knows("lms", "password", HASH, NOW + HOUR));
    ck_assert(!knows("lms", "password", HASH, NOW));
}
END_TEST

START_TEST(forgetting_all_forgets_all)
{
    remember("lms", "password", HASH);
    remember("grader", "secret", HASH);
    verified_passwords_forget_all(verified);
    ck_assert(!knows("lms", "password", HASH, NOW));
    ck_assert(!knows("grader", "secret", HASH, NOW));
}
END_TEST

START_TEST(the_pair_unused_for_longest_makes_room)
{
    char name[16];

    remember("first", "password", HASH);
    remember("second", "password", HASH);
    for (int i = 0; i < 4094; i++) {
        snprintf(name, sizeof name, "user%d", i);
        remember(name, "password", HASH);
    }
    ck_assert(knows("first", "password", HASH, NOW));
    remember("one more", "password", HASH);
    ck_assert(knows("first", "password", HASH, NOW));
    ck_assert(!knows("second", "password", HASH, NOW));
}
END_TEST

START_TEST(an_overlong_password_is_never_known)
{
    static char password[4098];

    memset(password, 'x', 4097);
    remember("lms", password, HASH);
    ck_assert(!knows("lms", password, HASH, NOW));
    password[4096] = '\0';
    remember("lms", password, HASH);
    ck_assert(knows("lms", password, HASH, NOW));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_remembered_pair_is_known),
        TELL(another_name_or_password_is_not_known),
        TELL(a_pair_is_known_with_the_last_hash_it_was_verified_against),
        TELL(moving_a_byte_between_the_parts_makes_another_pair),
        TELL(a_pair_is_known_for_an_hour),
        TELL(forgetting_all_forgets_all),
        TELL(the_pair_unused_for_longest_makes_room),
        TELL(an_overlong_password_is_never_known),
    };
    static const struct story story = {
        .name = "verified passwords",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}

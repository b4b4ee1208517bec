/*
 * server/base/password.c: R40
 */
#include "server/base/password.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <string.h>

/* "secret" and the salt "salt", one iteration and three. */
#define SECRET_1                                                               \
    "pbkdf2_sha256$1$salt$ON9CizCTCOSMNofn+QvaDpzyU1aMIex1Sg4HarSrZCM="
#define SECRET_3                                                               \
    "pbkdf2_sha256$3$salt$ZkQCDhkdIVkXw5p5oRPN1Y3gketXiQpjnOxfmasvQZo="

#define KEY "$EPEUtz/HR4sfZqjVnVDqYUEVcAmqrJpIVR6ojrQRtEY="

static bool matches(const char *password, const char *stored)
{
    return password_verify(text_of(password), text_of(stored), 0);
}

static bool parses(const char *stored)
{
    struct password_hash hash;

    return password_parse(text_of(stored), &hash);
}

START_TEST(a_hash_that_django_made_verifies)
{
    ck_assert(matches("password", "pbkdf2_sha256$1000000$"
                                  "NRvq1Xnz1Tz41oN7RNcUoE" KEY));
}
END_TEST

START_TEST(a_wrong_password_does_not_verify)
{
    ck_assert(matches("secret", SECRET_1));
    ck_assert(!matches("Secret", SECRET_1));
    ck_assert(!matches("secret ", SECRET_1));
    ck_assert(!matches("", SECRET_1));
}
END_TEST

START_TEST(any_number_of_iterations_verifies)
{
    ck_assert(matches("secret", SECRET_3));
    ck_assert(!matches("other", SECRET_3));
}
END_TEST

START_TEST(the_bytes_after_a_nul_count)
{
    struct text password = {"a\0b", 3};
    char stored[PASSWORD_HASH_SIZE];

    ck_assert(password_make(password, 1, stored));
    ck_assert(password_verify(password, text_of(stored), 0));
    ck_assert(!matches("a", stored));
    ck_assert(!password_verify((struct text){"a\0c", 3}, text_of(stored), 0));
}
END_TEST

START_TEST(an_unusable_password_never_verifies)
{
    ck_assert(!matches("", "!"));
    ck_assert(!matches("!", "!"));
    ck_assert(!matches("secret", "!" SECRET_1));
}
END_TEST

START_TEST(another_algorithm_never_verifies)
{
    ck_assert(!parses("pbkdf2_sha1$1$salt$h7sOxmk5bvPVhyrOwGvr1Um1SCk="));
    ck_assert(!parses("md5$salt$5ebe2294ecd0e0f08eab7690d2a6ee69"));
    ck_assert(!parses("secret"));
    ck_assert(!parses(""));
    ck_assert(!parses(NULL));
}
END_TEST

START_TEST(a_broken_hash_never_verifies)
{
    ck_assert(parses("pbkdf2_sha256$1$salt" KEY));
    ck_assert(!parses("pbkdf2_sha256$1$salt"));
    ck_assert(!parses("pbkdf2_sha256$1$salt$"));
    ck_assert(!parses("pbkdf2_sha256$1$" KEY));
    ck_assert(!parses("pbkdf2_sha256$$salt" KEY));
    ck_assert(!parses("pbkdf2_sha256$1x$salt" KEY));
    ck_assert(!parses("pbkdf2_sha256$1$salt$more" KEY));
    ck_assert(!parses("pbkdf2_sha256$1$salt" KEY "$"));
    ck_assert(!parses("pbkdf2_sha256$1$salt$EPEUtz/HR4sfZqjVnVDqYUEVcAmqrJpI"));
    ck_assert(!parses("pbkdf2_sha256$1$salt$EPEUtz/HR4sfZqjVnVDqYUEVcAmq"
                      "rJpIVR6ojrQR*EY="));
    ck_assert(!parses("pbkdf2_sha256$1$salt$EPEUtz/HR4sfZqjVnVDqYUEVcAmq"
                      "rJpIVR6ojrQRtE=="));
}
END_TEST

START_TEST(the_iterations_have_two_ends)
{
    ck_assert(!parses("pbkdf2_sha256$0$salt" KEY));
    ck_assert(!parses("pbkdf2_sha256$-1$salt" KEY));
    ck_assert(parses("pbkdf2_sha256$5000000$salt" KEY));
    ck_assert(!parses("pbkdf2_sha256$5000001$salt" KEY));
    ck_assert(!parses("pbkdf2_sha256$99999999999999999999$salt" KEY));
}
END_TEST

START_TEST(a_made_hash_has_djangos_shape)
{
    char stored[PASSWORD_HASH_SIZE];
    struct password_hash hash;

    ck_assert(password_make(text_of("secret"), 2, stored));
    ck_assert(password_parse(text_of(stored), &hash));
    ck_assert_int_eq(hash.iterations, 2);
    ck_assert_uint_eq(hash.salt.size, 22);
    for (size_t i = 0; i < hash.salt.size; i++)
        ck_assert(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "abcdefghijklmnopqrstuvwxyz0123456789",
                         hash.salt.data[i]) != NULL);
    ck_assert(matches("secret", stored));
}
END_TEST

START_TEST(two_hashes_of_one_password_differ)
{
    char first[PASSWORD_HASH_SIZE];
    char second[PASSWORD_HASH_SIZE];

    ck_assert(password_make(text_of("secret"), 1, first));
    ck_assert(password_make(text_of("secret"), 1, second));
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(a_password_over_4096_bytes_is_refused)
{
    static char password[4097];
    char stored[PASSWORD_HASH_SIZE] = "untouched";
    struct text longest = {password, 4096};

    memset(password, 'x', sizeof password);
    ck_assert(!password_make((struct text){password, 4097}, 1, stored));
    ck_assert_str_eq(stored, "untouched");
    ck_assert(password_make(longest, 1, stored));
    ck_assert(password_verify(longest, text_of(stored), 0));
    ck_assert(
        !password_verify((struct text){password, 4097}, text_of(stored), 0));
}
END_TEST

START_TEST(an_absent_hash_or_password_is_refused)
{
    ck_assert(!password_verify(text_of("secret"), TEXT_ABSENT, 2));
    ck_assert(!password_verify(TEXT_ABSENT, text_of(SECRET_1), 2));
}
END_TEST

STORY("passwords", TELL(a_hash_that_django_made_verifies),
      TELL(a_wrong_password_does_not_verify),
      TELL(any_number_of_iterations_verifies),
      TELL(the_bytes_after_a_nul_count),
      TELL(an_unusable_password_never_verifies),
      TELL(another_algorithm_never_verifies),
      TELL(a_broken_hash_never_verifies), TELL(the_iterations_have_two_ends),
      TELL(a_made_hash_has_djangos_shape),
      TELL(two_hashes_of_one_password_differ),
      TELL(a_password_over_4096_bytes_is_refused),
      TELL(an_absent_hash_or_password_is_refused))

/*
 * server/session/session_id.c
 */
#include "server/session/session_id.h"
#include "tests/support/story.h"

#include <string.h>

#define COOKIE "abcdefghijklmnopqrstuvwxyz0123456789ABCDE-_"

static bool parses(const char *cookie)
{
    unsigned char id[SHA256_SIZE];

    return session_id_parse(text_of(cookie), id);
}

START_TEST(a_made_cookie_has_43_characters_and_its_id)
{
    char cookie[SESSION_COOKIE_SIZE + 1];
    unsigned char made[SHA256_SIZE];
    unsigned char parsed[SHA256_SIZE];

    for (int i = 0; i < 200; i++) {
        session_id_make(cookie, made);
        ck_assert_uint_eq(strlen(cookie), 43);
        ck_assert(session_id_parse(text_of(cookie), parsed));
        ck_assert_mem_eq(parsed, made, SHA256_SIZE);
    }
}
END_TEST

START_TEST(the_id_is_the_digest_of_the_cookie)
{
    unsigned char id[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    ck_assert(session_id_parse(text_of(COOKIE), id));
    crypto_hex(id, sizeof id, hex);
    ck_assert_str_eq(
        hex,
        "6caac260b6e0513eee2abb4d834265d60686a4bc9e5be9779d937f3cae783aeb");
}
END_TEST

START_TEST(two_cookies_differ)
{
    char first[SESSION_COOKIE_SIZE + 1];
    char second[SESSION_COOKIE_SIZE + 1];
    unsigned char id[SHA256_SIZE];

    session_id_make(first, id);
    session_id_make(second, id);
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(what_cannot_be_a_cookie_of_ours_has_no_id)
{
    ck_assert(parses(COOKIE));
    ck_assert(!parses(NULL));
    ck_assert(!parses(""));
    ck_assert(!parses(COOKIE "x"));
    ck_assert(!parses("bcdefghijklmnopqrstuvwxyz0123456789ABCDE-_"));
    ck_assert(!parses("+bcdefghijklmnopqrstuvwxyz0123456789ABCDE-_"));
    ck_assert(!parses("=bcdefghijklmnopqrstuvwxyz0123456789ABCDE-_"));
    ck_assert(!parses("\"bcdefghijklmnopqrstuvwxyz0123456789ABCDE-_"));
    ck_assert(!parses("\377bcdefghijklmnopqrstuvwxyz0123456789ABCDE-_"));
}
END_TEST

STORY("session ids", TELL(a_made_cookie_has_43_characters_and_its_id),
      TELL(the_id_is_the_digest_of_the_cookie), TELL(two_cookies_differ),
      TELL(what_cannot_be_a_cookie_of_ours_has_no_id))

/*
 * server/base/crypto.c: the digests in hexadecimal.
 */
#include "server/base/crypto.h"
#include "tests/support/story.h"

START_TEST(sha256_of_nothing_and_of_something)
{
    char hex[SHA256_HEX_SIZE];

    crypto_sha256_hex(text_of(""), hex);
    ck_assert_str_eq(
        hex,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    crypto_sha256_hex(text_of("abc"), hex);
    ck_assert_str_eq(
        hex,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(hmac_sha256_as_rfc_4231_has_it)
{
    char hex[SHA256_HEX_SIZE];

    crypto_hmac_sha256_hex(text_of("Jefe"),
                           text_of("what do ya want for nothing?"), hex);
    ck_assert_str_eq(
        hex,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

START_TEST(md5_as_rfc_1321_has_it)
{
    char hex[MD5_HEX_SIZE];

    crypto_md5_hex(text_of(""), hex);
    ck_assert_str_eq(hex, "d41d8cd98f00b204e9800998ecf8427e");
    crypto_md5_hex(text_of("message digest"), hex);
    ck_assert_str_eq(hex, "f96b697d7cb7938d525a2f31aaf161d0");
}
END_TEST

START_TEST(a_nul_is_a_byte_like_any_other)
{
    char hex[MD5_HEX_SIZE];

    crypto_md5_hex((struct text){"a\0b", 3}, hex);
    ck_assert_str_eq(hex, "70350f6027bce3713f6b76473084309b");
}
END_TEST

STORY("crypto", TELL(sha256_of_nothing_and_of_something),
      TELL(hmac_sha256_as_rfc_4231_has_it), TELL(md5_as_rfc_1321_has_it),
      TELL(a_nul_is_a_byte_like_any_other))

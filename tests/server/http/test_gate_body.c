/*
 * server/http/gate.c: where the body ends, in the eyes of every reader.
 */
#include "server/http/gate.h"
#include "tests/support/gate_story.h"

static void make_post(size_t body_size)
{
    request.method = TEXT("POST");
    request.body_size = body_size;
}

START_TEST(an_ordinary_post_passes)
{
    make_post(11);
    add_field("Content-Type", "application/x-www-form-urlencoded");
    add_field("Content-Length", "11");
    expect_verdict(0);
}
END_TEST

START_TEST(a_post_without_any_length_has_no_body)
{
    make_post(0);
    expect_verdict(0);
    add_field("Content-Length", "0");
    expect_verdict(0);
}
END_TEST

START_TEST(a_length_is_digits_and_nothing_else)
{
    static const char *const bad[] = {
        "",    "+4",   "-1",  "-0",  " 4",
        "4 ",  "0x4",  "4.0", "4 4", "4, 4",
        "4\t", "four", "4e0", "\t4", "00000000000000000004"};

    make_post(4);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        expect_with("Content-Length", bad[i], 400);
    expect_with("Content-Length", "4", 0);
    expect_with("content-length", "0000000000000000004", 0);
}
END_TEST

START_TEST(a_length_beyond_all_bounds_is_413)
{
    make_post(4);
    expect_with("Content-Length", "9999999999999999999", 413);
    expect_with("Content-Length", "9223372036854775808", 413);
}
END_TEST

START_TEST(two_lengths_are_refused_equal_or_not)
{
    make_post(4);
    add_field("Content-Length", "4");
    expect_with("Content-Length", "4", 400);
    expect_with("CONTENT-LENGTH", "5", 400);
}
END_TEST

START_TEST(a_length_that_is_not_what_was_read_is_refused)
{
    make_post(4);
    expect_with("Content-Length", "5", 400);
    expect_with("Content-Length", "3", 400);
    expect_verdict(400); /* no length, yet a body */
}
END_TEST

START_TEST(chunked_alone_passes)
{
    make_post(4);
    expect_with("Transfer-Encoding", "chunked", 0);
    expect_with("TRANSFER-encoding", "Chunked", 0);
    make_post(0);
    expect_with("Transfer-Encoding", "chunked", 0);
}
END_TEST

START_TEST(any_other_transfer_encoding_is_refused)
{
    static const char *const bad[] = {
        "gzip",      "identity",          "xchunked",         "chunked,",
        "",          "gzip, chunked",     "chunked, chunked", "chunked ",
        "\tchunked", "chunked, identity", "chunked;a=b",      "\"chunked\""};

    make_post(4);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        expect_with("Transfer-Encoding", bad[i], 400);
    expect_with("Transfer-Encoding", "\vchunked", 400);
}
END_TEST

START_TEST(chunked_twice_or_with_a_length_is_refused)
{
    make_post(4);
    add_field("Transfer-Encoding", "chunked");
    expect_with("Transfer-Encoding", "chunked", 400);
    expect_with("Content-Length", "4", 400);
}
END_TEST

START_TEST(chunked_on_1_0_is_refused)
{
    request.minor = 0;
    make_post(4);
    expect_with("Transfer-Encoding", "chunked", 400);
}
END_TEST

START_TEST(methods_without_a_body_must_not_have_one)
{
    static const char *const methods[] = {"GET",     "HEAD", "OPTIONS", "TRACE",
                                          "CONNECT", "BREW", "post",    ""};

    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        request.method = text_of(methods[i]);
        request.body_size = 0;
        expect_verdict(0);
        expect_with("Content-Length", "0", 0);
        expect_with("Content-Length", "5", 400);
        expect_with("Transfer-Encoding", "chunked", 400);
        request.body_size = 5;
        expect_with("Content-Length", "5", 400);
        expect_verdict(400);
    }
}
END_TEST

START_TEST(methods_with_a_body_are_left_to_the_router)
{
    static const char *const methods[] = {"PUT", "PATCH", "DELETE"};

    request.body_size = 5;
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        request.method = text_of(methods[i]);
        expect_with("Content-Length", "5", 0);
    }
}
END_TEST

START_TEST(only_100_continue_can_be_expected)
{
    make_post(0);
    expect_with("Expect", "100-continue", 0);
    expect_with("expect", "100-Continue", 0);
    expect_with("Expect", "", 417);
    expect_with("Expect", "200-ok", 417);
    expect_with("Expect", "100-continue, x", 417);
    request.minor = 0;
    expect_with("Expect", "200-ok", 0);
}
END_TEST

START_TEST(an_encoded_body_is_415)
{
    make_post(4);
    add_field("Content-Length", "4");
    expect_with("Content-Encoding", "identity", 0);
    expect_with("Content-Encoding", "gzip", 415);
    expect_with("Content-Encoding", "", 415);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_ordinary_post_passes),
        TELL(a_post_without_any_length_has_no_body),
        TELL(a_length_is_digits_and_nothing_else),
        TELL(a_length_beyond_all_bounds_is_413),
        TELL(two_lengths_are_refused_equal_or_not),
        TELL(a_length_that_is_not_what_was_read_is_refused),
        TELL(chunked_alone_passes),
        TELL(any_other_transfer_encoding_is_refused),
        TELL(chunked_twice_or_with_a_length_is_refused),
        TELL(chunked_on_1_0_is_refused),
        TELL(methods_without_a_body_must_not_have_one),
        TELL(methods_with_a_body_are_left_to_the_router),
        TELL(only_100_continue_can_be_expected),
        TELL(an_encoded_body_is_415),
    };
    static const struct story story = {
        .name = "gate: bodies",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = gate_story_begin,
    };

    return story_run(&story);
}

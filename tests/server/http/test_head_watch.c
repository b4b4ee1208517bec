/*
 * server/http/head_watch.c. Every head is fed whole and again in all possible
 * two pieces and byte by byte: the outcome must be the same.
 */
#include "server/http/head_watch.h"

#include "server/base/text.h"
#include "tests/support/story.h"

#include <string.h>

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

enum { LIMIT = 64 };

/* What a watcher says after all bytes, fed up to `cut` and from there on. */
static enum head_state state_of(struct text bytes, size_t cut,
                                size_t *ret_consumed, int *ret_status)
{
    struct head_watch watch;
    enum head_state state;
    size_t first;
    size_t second = 0;

    head_watch_init(&watch, LIMIT);
    state = head_watch_feed(&watch, bytes.data, cut, &first);
    if (first == cut)
        state = head_watch_feed(&watch, bytes.data + cut, bytes.size - cut,
                                &second);
    *ret_consumed = first + second;
    *ret_status = state == HEAD_BAD ? head_watch_refusal(&watch).status : 0;
    return state;
}

static enum head_state byte_by_byte(struct text bytes, size_t *ret_consumed)
{
    struct head_watch watch;
    enum head_state state = HEAD_WAITING;

    head_watch_init(&watch, LIMIT);
    *ret_consumed = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        size_t one;

        state = head_watch_feed(&watch, bytes.data + i, 1, &one);
        *ret_consumed += one;
    }
    return state;
}

static void expect(struct text bytes, enum head_state state, size_t consumed,
                   int status)
{
    size_t found_consumed;
    int found_status;

    for (size_t cut = 0; cut <= bytes.size; cut++) {
        ck_assert_int_eq(state_of(bytes, cut, &found_consumed, &found_status),
                         state);
        ck_assert_uint_eq(found_consumed, consumed);
        ck_assert_int_eq(found_status, status);
    }
    if (bytes.size > 0) {
        ck_assert_int_eq(byte_by_byte(bytes, &found_consumed), state);
        ck_assert_uint_eq(found_consumed, consumed);
    }
}

START_TEST(nothing_is_nothing)
{
    expect(TEXT(""), HEAD_WAITING, 0, 0);
}
END_TEST

START_TEST(a_whole_head_is_complete_and_the_body_is_not_touched)
{
    expect(TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HEAD_COMPLETE, 27, 0);
    expect(TEXT("GET / HTTP/1.1\r\n\r\n\0\n\r body"), HEAD_COMPLETE, 18, 0);
}
END_TEST

START_TEST(a_head_without_its_blank_line_is_being_read)
{
    expect(TEXT("G"), HEAD_READING, 1, 0);
    expect(TEXT("GET / HTTP/1.1\r\n"), HEAD_READING, 16, 0);
    expect(TEXT("GET / HTTP/1.1\r\nA: b\r\n\r"), HEAD_READING, 23, 0);
}
END_TEST

START_TEST(one_empty_line_may_come_first)
{
    expect(TEXT("\r"), HEAD_WAITING, 1, 0);
    expect(TEXT("\r\n"), HEAD_WAITING, 2, 0);
    expect(TEXT("\r\nGET / HTTP/1.1\r\n\r\n"), HEAD_COMPLETE, 20, 0);
    expect(TEXT("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), HEAD_BAD, 3, 400);
    expect(TEXT("\n"), HEAD_BAD, 0, 400);
}
END_TEST

START_TEST(a_nul_is_refused)
{
    expect(TEXT("\0"), HEAD_BAD, 0, 400);
    expect(TEXT("GET /\0 HTTP/1.1\r\n\r\n"), HEAD_BAD, 5, 400);
    expect(TEXT("GET / HTTP/1.1\r\nA: b\0\r\n\r\n"), HEAD_BAD, 20, 400);
}
END_TEST

START_TEST(a_bare_lf_is_refused)
{
    expect(TEXT("GET / HTTP/1.1\n\n"), HEAD_BAD, 14, 400);
    expect(TEXT("GET / HTTP/1.1\r\nA: b\n\r\n"), HEAD_BAD, 20, 400);
    expect(TEXT("GET / HTTP/1.1\r\n\n"), HEAD_BAD, 16, 400);
}
END_TEST

START_TEST(a_bare_cr_is_refused)
{
    expect(TEXT("GET / HTTP/1.1\rA: b\r\n\r\n"), HEAD_BAD, 15, 400);
    expect(TEXT("GET / HTTP/1.1\r\nA: b\r\r\n\r\n"), HEAD_BAD, 21, 400);
}
END_TEST

START_TEST(a_folded_line_is_refused)
{
    expect(TEXT("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"), HEAD_BAD, 22, 400);
    expect(TEXT("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n"), HEAD_BAD, 22, 400);
    expect(TEXT("GET / HTTP/1.1\r\n A: b\r\n\r\n"), HEAD_BAD, 16, 400);
    expect(TEXT(" GET / HTTP/1.1\r\n\r\n"), HEAD_BAD, 0, 400);
}
END_TEST

START_TEST(a_version_is_two_digits)
{
    expect(TEXT("GET / HTTP/2.0\r\n"), HEAD_READING, 16, 0);
    expect(TEXT("GET /\r\n\r\n"), HEAD_BAD, 6, 400);
    expect(TEXT("GET / http/1.1\r\n\r\n"), HEAD_BAD, 15, 400);
    expect(TEXT("GET / HTTP/+1.+1\r\n\r\n"), HEAD_BAD, 17, 400);
    expect(TEXT("GET / HTTP/-1.5\r\n\r\n"), HEAD_BAD, 16, 400);
    expect(TEXT("GET / HTTP/1.10\r\n\r\n"), HEAD_BAD, 16, 400);
    expect(TEXT("GET / HTTP/1.1 \r\n\r\n"), HEAD_BAD, 16, 400);
    expect(TEXT("GET / HTTP/1,1\r\n\r\n"), HEAD_BAD, 15, 400);
    expect(TEXT("x\r\n"), HEAD_BAD, 2, 400);
}
END_TEST

START_TEST(a_head_as_long_as_the_limit_passes)
{
    expect(TEXT("GET / HTTP/1.1\r\nA: 0123456789012345678901234567890123456789"
                "0\r\n\r\n"),
           HEAD_COMPLETE, 64, 0);
}
END_TEST

START_TEST(one_byte_more_is_431)
{
    expect(TEXT("GET / HTTP/1.1\r\nA: 0123456789012345678901234567890123456789"
                "01\r\n\r\n"),
           HEAD_BAD, 64, 431);
}
END_TEST

START_TEST(an_endless_field_is_431)
{
    expect(TEXT("GET / HTTP/1.1\r\nA: 0123456789012345678901234567890123456789"
                "0123456789012345678901234567890"),
           HEAD_BAD, 64, 431);
}
END_TEST

START_TEST(an_endless_request_line_is_414)
{
    expect(TEXT("GET /0123456789012345678901234567890123456789012345678901234"
                "5678901234567890"),
           HEAD_BAD, 64, 414);
}
END_TEST

START_TEST(what_has_ended_stays_ended_until_reset)
{
    struct head_watch watch;
    size_t consumed;

    head_watch_init(&watch, LIMIT);
    ck_assert_int_eq(head_watch_feed(&watch, "\n", 1, &consumed), HEAD_BAD);
    ck_assert_int_eq(head_watch_feed(&watch, "G", 1, &consumed), HEAD_BAD);
    ck_assert_uint_eq(consumed, 0);
    head_watch_reset(&watch);
    ck_assert_int_eq(
        head_watch_feed(&watch, "GET / HTTP/1.0\r\n\r\nGET", 21, &consumed),
        HEAD_COMPLETE);
    ck_assert_uint_eq(consumed, 18);
    ck_assert_int_eq(head_watch_feed(&watch, "GET", 3, &consumed),
                     HEAD_COMPLETE);
    ck_assert_uint_eq(consumed, 0);
    head_watch_reset(&watch);
    ck_assert_int_eq(head_watch_feed(&watch, "GET", 3, &consumed),
                     HEAD_READING);
}
END_TEST

STORY("head watch", TELL(nothing_is_nothing),
      TELL(a_whole_head_is_complete_and_the_body_is_not_touched),
      TELL(a_head_without_its_blank_line_is_being_read),
      TELL(one_empty_line_may_come_first), TELL(a_nul_is_refused),
      TELL(a_bare_lf_is_refused), TELL(a_bare_cr_is_refused),
      TELL(a_folded_line_is_refused), TELL(a_version_is_two_digits),
      TELL(a_head_as_long_as_the_limit_passes), TELL(one_byte_more_is_431),
      TELL(an_endless_field_is_431), TELL(an_endless_request_line_is_414),
      TELL(what_has_ended_stays_ended_until_reset))

#include "server/http/chunk_watch.h"

#include "tests/support/story.h"

#include <string.h>

static bool is_whole_text(const char *text)
{
    struct chunk_watch watch;

    chunk_watch_start(&watch);
    chunk_watch_feed(&watch, text, strlen(text));
    return chunk_watch_is_whole(&watch);
}

START_TEST(plain_chunks_are_right)
{
    ck_assert(is_whole_text("0\r\n\r\n"));
    ck_assert(is_whole_text("3\r\nabc\r\n0\r\n\r\n"));
    ck_assert(is_whole_text("0A\r\n0123456789\r\n1\r\nx\r\n00\r\n\r\n"));
}
END_TEST

START_TEST(line_ends_inside_the_data_are_data)
{
    ck_assert(is_whole_text("7\r\na\r\n0\r\nb\r\n0\r\n\r\n"));
}
END_TEST

START_TEST(what_follows_the_body_is_left_alone)
{
    ck_assert(is_whole_text("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n"));
}
END_TEST

START_TEST(a_body_without_its_end_is_not_whole)
{
    ck_assert(!is_whole_text(""));
    ck_assert(!is_whole_text("3\r\nabc\r\n"));
    ck_assert(!is_whole_text("0\r\n"));
    ck_assert(!is_whole_text("5\r\nabc\r\n0\r\n\r\n"));
}
END_TEST

START_TEST(sloppy_sizes_are_wrong)
{
    ck_assert(!is_whole_text("0x3\r\nabc\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text("+3\r\nabc\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text(" 3\r\nabc\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text("3 \r\nabc\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text("-0\r\n\r\n"));
    ck_assert(!is_whole_text("\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text("1000000000000000\r\nabc\r\n0\r\n\r\n"));
}
END_TEST

START_TEST(bare_line_feeds_are_wrong)
{
    ck_assert(!is_whole_text("3\nabc\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text("3\r\nabc\n0\r\n\r\n"));
    ck_assert(!is_whole_text("3\r\nabc\r\n0\n\n"));
}
END_TEST

START_TEST(extensions_and_trailers_are_wrong)
{
    ck_assert(!is_whole_text("3;a=b\r\nabc\r\n0\r\n\r\n"));
    ck_assert(!is_whole_text("3\r\nabc\r\n0\r\nCookie: a=b\r\n\r\n"));
}
END_TEST

START_TEST(the_outcome_does_not_depend_on_the_pieces)
{
    static const char text[] = "0a\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n";

    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct chunk_watch watch;

        chunk_watch_start(&watch);
        for (size_t at = 0; at < sizeof text - 1; at += piece)
            chunk_watch_feed(
                &watch, text + at,
                at + piece < sizeof text - 1 ? piece : sizeof text - 1 - at);
        ck_assert(chunk_watch_is_whole(&watch));
    }
}
END_TEST

STORY("chunk watch", TELL(plain_chunks_are_right),
      TELL(line_ends_inside_the_data_are_data),
      TELL(what_follows_the_body_is_left_alone),
      TELL(a_body_without_its_end_is_not_whole), TELL(sloppy_sizes_are_wrong),
      TELL(bare_line_feeds_are_wrong), TELL(extensions_and_trailers_are_wrong),
      TELL(the_outcome_does_not_depend_on_the_pieces))

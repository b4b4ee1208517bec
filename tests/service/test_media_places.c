/*
 * Places for those who are sent files, when there are fewer than who ask: see
 * server/api/media_places.h.
 */
#include "server/api/media_places.h"
#include "server/base/clock.h"
#include "tests/support/media_root.h"
#include "tests/support/media_story.h"
#include "tests/support/service_story.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MB = 1024 * 1024, HUGE_BYTES = 1024 * MB - 1 };

/* All places are taken. */
static void take_all_places(const char *link, int asking[MEDIA_PLACES])
{
    for (size_t i = 0; i < MEDIA_PLACES; i++) {
        asking[i] = media_ask(link);
        media_wait_for_head(asking[i]);
    }
}

/* What has come, away with it; false when the server has hung up. */
static bool take_some(int asking)
{
    static char bytes[MB];
    const ssize_t got = recv(asking, bytes, sizeof bytes, MSG_DONTWAIT);

    return got > 0 || (got < 0 && errno == EAGAIN);
}

static size_t count_open(const int asking[MEDIA_PLACES])
{
    size_t open = 0;

    for (size_t i = 0; i < MEDIA_PLACES; i++) {
        int error = 0;
        socklen_t size = sizeof error;

        ck_assert_int_eq(
            getsockopt(asking[i], SOL_SOCKET, SO_ERROR, &error, &size), 0);
        open += error == 0;
    }
    return open;
}

static void close_all(const int asking[MEDIA_PLACES])
{
    for (size_t i = 0; i < MEDIA_PLACES; i++)
        close(asking[i]);
}

START_TEST(of_those_who_do_not_read_one_goes_for_each_who_waits)
{
    const char *link = media_link("stalled", MEDIA_KEY);
    int64_t began_ms;
    int asking[MEDIA_PLACES];

    free(media_add_big("stalled"));
    media_add_digits("small");
    take_all_places(link, asking);
    began_ms = clock_monotonic_ms();
    expect_status(http_get(client, media_link("small", MEDIA_KEY)), 200,
                  "0123456789");
    ck_assert_int_lt(clock_monotonic_ms() - began_ms, 10000);
    ck_assert_uint_eq(count_open(asking), MEDIA_PLACES - 1);
    (void)service_wait_for_log(service, "too slow and others waited");
    /* Now there is a place. */
    began_ms = clock_monotonic_ms();
    expect_status(http_get(client, media_link("small", MEDIA_KEY)), 200,
                  "0123456789");
    ck_assert_int_lt(clock_monotonic_ms() - began_ms, MEDIA_LOOK_MS);
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    close_all(asking);
}
END_TEST

/* More than is read in a test, and takes no room on the disk. */
static void add_huge(const char *queue)
{
    media_root_add(queue, MEDIA_KEY, text_of(""), 0);
    ck_assert_int_eq(truncate(arena_printf(scratch, "%s/%s/" MEDIA_KEY,
                                           service_media_root(service), queue),
                              HUGE_BYTES),
                     0);
}

/* Without waiting for the answer. */
static void ask_beside(const char *queue)
{
    ck_assert(http_send_bytes(
        client,
        text_of(arena_printf(scratch, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
                             media_link(queue, MEDIA_KEY)))));
}

/* The first of them take what is there, and it is soon time for more. */
static void read_steadily(const int asking[MEDIA_PLACES], size_t readers)
{
    for (size_t i = 0; i < readers; i++)
        ck_assert_msg(take_some(asking[i]), "%zu was cut", i);
    poll(NULL, 0, 200);
}

START_TEST(those_who_read_are_not_cut_for_others)
{
    int asking[MEDIA_PLACES];

    add_huge("steady");
    media_add_digits("small");
    take_all_places(media_link("steady", MEDIA_KEY), asking);
    ask_beside("small");
    while (!http_has_input(client))
        read_steadily(asking, MEDIA_PLACES - 1);
    expect_status(http_read_reply(client), 200, "0123456789");
    read_steadily(asking, MEDIA_PLACES - 1);
    ck_assert_uint_eq(count_open(asking), MEDIA_PLACES - 1);
    close_all(asking);
}
END_TEST

START_TEST(while_all_read_who_waits_too_long_is_asked_to_come_again)
{
    const struct reply *reply;
    int asking[MEDIA_PLACES];

    add_huge("steady");
    take_all_places(media_link("steady", MEDIA_KEY), asking);
    ask_beside("steady");
    while (!http_has_input(client))
        read_steadily(asking, MEDIA_PLACES);
    reply = http_read_reply(client);
    expect_status(reply, 503, NULL);
    expect_field(reply, "Retry-After", "2");
    close_all(asking);
}
END_TEST

SERVICE_STORY("places for media", &media_settings,
              TELL(of_those_who_do_not_read_one_goes_for_each_who_waits),
              TELL(those_who_read_are_not_cut_for_others),
              TELL(while_all_read_who_waits_too_long_is_asked_to_come_again))

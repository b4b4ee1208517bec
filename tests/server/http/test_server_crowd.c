/*
 * A full house: who has to go for whom. The time-outs are the usual ones, a
 * minute and more, so that whoever is closed sooner has made room.
 */
#include "server/http/server.h"

#include "server/base/clock.h"
#include "tests/support/http_child.h"
#include "tests/support/raw_client.h"
#include "tests/support/story.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* At once, though the machine may be busy; and after the second of patience. */
enum { HOUSE = 8, AT_ONCE_MS = 1000, PATIENT_MS = 2500, OPEN_MS = 50 };

static const char question[] = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n";
static const char half_head[] = "GET /echo HTTP/1.1\r\nHost:";

static struct http_child child;
static struct buffer reply;
static int house[HOUSE];

static void start(size_t limit)
{
    struct http_settings settings = http_child_settings();

    settings.max_connections = limit;
    child = http_child_start(&settings, 0);
}

static void stop(size_t limit)
{
    http_child_end(&child);
    ck_assert_uint_eq(child.report->most_connections, limit);
    buffer_free(&reply);
}

static void expect_reply(int client, int deadline_ms)
{
    buffer_clear(&reply);
    ck_assert(raw_read_reply(client, &reply, deadline_ms));
    ck_assert_int_eq(raw_status(&reply), 200);
}

static void ask(int client, int deadline_ms)
{
    ck_assert(raw_say(client, question));
    expect_reply(client, deadline_ms);
}

static void expect_end(int client, enum raw_end end, int deadline_ms)
{
    buffer_clear(&reply);
    ck_assert_int_eq(raw_read_all(client, &reply, deadline_ms), end);
}

/* All say the same; who has the first place came first. */
static void fill_with(const char *words)
{
    for (int i = 0; i < HOUSE; i++) {
        house[i] = raw_connect(child.port);
        ck_assert(raw_say(house[i], words));
    }
    HTTP_CHILD_AWAIT(&child, child.report->connections == HOUSE);
}

static void fill_with_kept_ones(void)
{
    for (int i = 0; i < HOUSE; i++) {
        house[i] = raw_connect(child.port);
        ask(house[i], 5000);
    }
}

START_TEST(a_house_of_idle_ones_admits_a_new_one_at_once)
{
    int newcomer;

    start(HOUSE);
    fill_with_kept_ones();
    newcomer = raw_connect(child.port);
    ask(newcomer, AT_ONCE_MS);
    expect_end(house[0], RAW_CLOSED, AT_ONCE_MS);
    ck_assert_uint_eq(reply.size, 0);
    for (int i = 1; i < HOUSE; i++)
        ask(house[i], 5000);
    ask(newcomer, 5000);
    stop(HOUSE);
}
END_TEST

START_TEST(idle_ones_stay_while_nobody_waits)
{
    start(HOUSE);
    fill_with_kept_ones();
    http_child_wait_ms(PATIENT_MS);
    for (int i = 0; i < HOUSE; i++)
        ask(house[i], 5000);
    stop(HOUSE);
}
END_TEST

START_TEST(who_has_just_been_served_is_not_the_first_to_go)
{
    start(HOUSE);
    fill_with_kept_ones();
    ask(house[0], 5000);
    ask(raw_connect(child.port), AT_ONCE_MS);
    expect_end(house[1], RAW_CLOSED, AT_ONCE_MS);
    ask(house[0], 5000);
    stop(HOUSE);
}
END_TEST

START_TEST(an_idle_one_whose_request_has_just_arrived_stays)
{
    int newcomer;

    start(HOUSE);
    fill_with_kept_ones();
    ck_assert_int_eq(kill(child.process, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(child.process, NULL, WUNTRACED), child.process);
    newcomer = raw_connect(child.port);
    ck_assert(raw_say(newcomer, question));
    ck_assert(raw_say(house[0], question));
    ck_assert_int_eq(kill(child.process, SIGCONT), 0);
    expect_reply(house[0], 5000);
    expect_reply(newcomer, AT_ONCE_MS);
    expect_end(house[1], RAW_CLOSED, AT_ONCE_MS);
    stop(HOUSE);
}
END_TEST

START_TEST(a_house_of_silent_ones_admits_a_new_one_soon)
{
    int newcomer;

    start(HOUSE);
    fill_with("");
    newcomer = raw_connect(child.port);
    ask(newcomer, PATIENT_MS);
    expect_end(house[0], RAW_CLOSED, AT_ONCE_MS);
    expect_end(house[HOUSE - 1], RAW_OPEN, OPEN_MS);
    stop(HOUSE);
}
END_TEST

START_TEST(a_house_of_half_heads_admits_a_new_one_soon)
{
    int newcomer;

    start(HOUSE);
    fill_with(half_head);
    newcomer = raw_connect(child.port);
    ask(newcomer, PATIENT_MS);
    expect_end(house[0], RAW_CLOSED, AT_ONCE_MS);
    ck_assert_int_eq(raw_status(&reply), 408);
    expect_end(house[1], RAW_OPEN, OPEN_MS);
    stop(HOUSE);
}
END_TEST

START_TEST(half_heads_go_on_when_an_idle_one_can_make_room)
{
    start(HOUSE);
    fill_with(half_head);
    ck_assert(raw_say(house[2], " x\r\n\r\n"));
    expect_reply(house[2], 5000);
    http_child_wait_ms(1200);
    ask(raw_connect(child.port), AT_ONCE_MS);
    expect_end(house[2], RAW_CLOSED, AT_ONCE_MS);
    ck_assert(raw_say(house[0], " x\r\n\r\n"));
    expect_reply(house[0], 5000);
    stop(HOUSE);
}
END_TEST

START_TEST(a_house_of_refused_ones_that_linger_admits_a_new_one_soon)
{
    int newcomer;

    start(HOUSE);
    fill_with("GET / HTTP/9.9\r\n\r\n");
    newcomer = raw_connect(child.port);
    ask(newcomer, PATIENT_MS);
    stop(HOUSE);
}
END_TEST

START_TEST(whoever_is_served_is_never_closed_for_another)
{
    enum { LIMIT = 4, NEWCOMERS = 20 };
    const int small = 64 * 1024;
    int held;
    int sending;
    int reading;

    start(LIMIT);
    held = raw_connect(child.port);
    sending = raw_connect(child.port);
    reading = raw_connect(child.port);
    setsockopt(reading, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ck_assert(raw_say(held, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_say(sending, "POST /echo HTTP/1.1\r\nHost: x\r\n"
                               "Content-Length: 4\r\n\r\nab"));
    ck_assert(raw_say(reading, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->requests == 2);
    http_child_wait_ms(1200);
    for (int i = 0; i < NEWCOMERS; i++)
        ask(raw_connect(child.port), AT_ONCE_MS);
    http_child_release(&child);
    expect_reply(held, 5000);
    ck_assert(raw_say(sending, "cd"));
    expect_reply(sending, 5000);
    expect_reply(reading, 20000);
    stop(LIMIT);
}
END_TEST

START_TEST(a_new_one_waits_while_all_are_served)
{
    enum { LIMIT = 2 };
    int held[LIMIT];
    int newcomer;

    start(LIMIT);
    for (int i = 0; i < LIMIT; i++) {
        held[i] = raw_connect(child.port);
        ck_assert(raw_say(held[i], "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    HTTP_CHILD_AWAIT(&child, child.report->requests == LIMIT);
    newcomer = raw_connect(child.port);
    ck_assert(raw_say(newcomer, question));
    expect_end(newcomer, RAW_OPEN, PATIENT_MS);
    ck_assert_uint_eq(child.report->requests, LIMIT);
    http_child_release(&child);
    expect_reply(newcomer, AT_ONCE_MS);
    for (int i = 0; i < LIMIT; i++)
        expect_reply(held[i], 5000);
    stop(LIMIT);
    ck_assert_int_lt(child.report->cpu_ms, 500);
}
END_TEST

START_TEST(a_crowd_of_clients_that_stay_is_served_to_the_last)
{
    enum { CLIENTS = 200 };
    int clients[CLIENTS];

    start(HOUSE);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = raw_connect(child.port);
        ck_assert(raw_say(clients[i], question));
    }
    for (int i = 0; i < CLIENTS; i++)
        expect_reply(clients[i], 5000);
    stop(HOUSE);
}
END_TEST

/* Eight of ten are not too many, nine are. */
START_TEST(idle_ones_are_closed_sooner_while_there_are_many)
{
    int64_t before_ms;

    start(HOUSE + 2);
    fill_with_kept_ones();
    ask(raw_connect(child.port), 5000);
    before_ms = clock_monotonic_ms();
    expect_end(house[0], RAW_CLOSED, 8000);
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 4000);
    http_child_wait_ms(1000);
    for (int i = 1; i < HOUSE; i++)
        ask(house[i], 5000);
    stop(HOUSE + 1);
}
END_TEST

START_TEST(heads_have_less_time_while_there_are_many)
{
    int64_t before_ms;

    start(HOUSE);
    before_ms = clock_monotonic_ms();
    fill_with(half_head);
    expect_end(house[0], RAW_CLOSED, 5000);
    ck_assert_int_eq(raw_status(&reply), 408);
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 3000);
    stop(HOUSE);
}
END_TEST

STORY("a full house", TELL(a_house_of_idle_ones_admits_a_new_one_at_once),
      TELL(idle_ones_stay_while_nobody_waits),
      TELL(who_has_just_been_served_is_not_the_first_to_go),
      TELL(an_idle_one_whose_request_has_just_arrived_stays),
      TELL(a_house_of_silent_ones_admits_a_new_one_soon),
      TELL(a_house_of_half_heads_admits_a_new_one_soon),
      TELL(half_heads_go_on_when_an_idle_one_can_make_room),
      TELL(a_house_of_refused_ones_that_linger_admits_a_new_one_soon),
      TELL(whoever_is_served_is_never_closed_for_another),
      TELL(a_new_one_waits_while_all_are_served),
      TELL(a_crowd_of_clients_that_stay_is_served_to_the_last),
      TELL(idle_ones_are_closed_sooner_while_there_are_many),
      TELL(heads_have_less_time_while_there_are_many))

/*
 * server/fetch/fetch.c: names that are slow to look up, or that lead
 * somewhere bad.
 *
 * The look-up is ours: the getaddrinfo() below takes the place of the C
 * library's for curl, too.
 */
#include "server/fetch/fetch.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/story.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { SLOW_MS = 1500 };

static const struct {
    const char *name;
    int wait_ms;
    const char *addresses[3];
} names[] = {
    {"slow.test", SLOW_MS, {"127.0.0.1"}},
    {"metadata.test", 0, {"169.254.169.254"}},
    {"mixed.test", 0, {"169.254.169.254", "127.0.0.1"}},
    {"good.test", 0, {"127.0.0.1"}},
};

static struct addrinfo *make_answer(const char *address, int port,
                                    struct addrinfo *next)
{
    struct addrinfo *answer = xcalloc(1, sizeof *answer);
    struct sockaddr_in *ipv4 = xcalloc(1, sizeof *ipv4);

    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, address, &ipv4->sin_addr);
    *answer = (struct addrinfo){
        .ai_family = AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_protocol = IPPROTO_TCP,
        .ai_addrlen = sizeof *ipv4,
        .ai_addr = (struct sockaddr *)ipv4,
        .ai_next = next,
    };
    return answer;
}

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **ret_answers)
{
    int port = service == NULL ? 0 : (int)strtol(service, NULL, 10);

    (void)hints;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct addrinfo *answers = NULL;

        if (strcmp(name, names[i].name) != 0)
            continue;
        if (names[i].wait_ms > 0)
            poll(NULL, 0, names[i].wait_ms);
        for (size_t j = 3; j-- > 0;) {
            if (names[i].addresses[j] != NULL)
                answers = make_answer(names[i].addresses[j], port, answers);
        }
        *ret_answers = answers;
        return 0;
    }
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *answers)
{
    while (answers != NULL) {
        struct addrinfo *next = answers->ai_next;

        free(answers->ai_addr);
        free(answers);
        answers = next;
    }
}

static struct fetch fetched(const char *name, uint16_t port)
{
    char *url = xasprintf("http://%s:%u/", name, port);
    struct fetch fetch = fetching_to(url, "x");

    fetching_run(&fetch);
    fetching_release(&fetch);
    fetch.url = NULL;
    free(url);
    return fetch;
}

START_TEST(a_name_that_leads_to_a_forbidden_address_is_refused)
{
    struct fetch fetch = fetched("metadata.test", 80);

    ck_assert_int_eq(fetch.status, FETCH_REFUSED_HOST);
}
END_TEST

START_TEST(of_several_addresses_only_the_allowed_ones_are_tried)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetched("mixed.test", peer_port(peer));

    ck_assert_int_eq(fetch.status, FETCH_DONE);
    peer_stop(peer);
}
END_TEST

START_TEST(if_the_allowed_addresses_do_not_answer_it_is_unsent)
{
    struct fetch fetch = fetched("mixed.test", port_reserve());

    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
}
END_TEST

START_TEST(an_unknown_name_is_unsent)
{
    struct fetch fetch = fetched("nobody.test", 80);

    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
}
END_TEST

/* Nor does giving it up, which is where curl would wait for its thread. */
START_TEST(a_slow_look_up_holds_up_nobody)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch slow = fetching_to("http://slow.test/", "x");
    struct fetch quick;

    slow.connect_timeout_ms = 200;
    fetching_run(&slow);
    ck_assert_int_eq(slow.status, FETCH_UNSENT);
    quick = fetched("good.test", peer_port(peer));
    ck_assert_int_eq(quick.status, FETCH_DONE);
    ck_assert_int_lt(slow.duration_ms + quick.duration_ms, SLOW_MS / 2);
    /* Its thread frees what it holds when it ends. */
    poll(NULL, 0, SLOW_MS);
    peer_stop(peer);
}
END_TEST

START_TEST(freeing_the_fetcher_does_not_wait_for_a_look_up)
{
    struct fetch fetch = fetching_to("http://slow.test/", "x");
    int64_t start_ms = clock_monotonic_ms();

    fetcher_start(fetching_fetcher(), &fetch);
    fetching_stop();
    ck_assert_int_eq(fetch.status, FETCH_CANCELED);
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, SLOW_MS / 2);
    poll(NULL, 0, SLOW_MS);
}
END_TEST

FETCHING_STORY("fetch names",
               TELL(a_name_that_leads_to_a_forbidden_address_is_refused),
               TELL(of_several_addresses_only_the_allowed_ones_are_tried),
               TELL(if_the_allowed_addresses_do_not_answer_it_is_unsent),
               TELL(an_unknown_name_is_unsent),
               TELL(a_slow_look_up_holds_up_nobody),
               TELL(freeing_the_fetcher_does_not_wait_for_a_look_up))

/*
 * Stories about files as graders fetch them.
 */
#include "tests/support/media_story.h"

#include "server/base/clock.h"
#include "server/storage/link.h"
#include "tests/support/media_root.h"
#include "tests/support/raw_client.h"
#include "tests/support/service_story.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SECRET "the secret of all links"

enum { LIFETIME_S = 600 };

const struct service_settings media_settings = {
    .more = "SECRET_KEY: " SECRET "\n",
};

const char *media_link(const char *queue, const char *key)
{
    return media_link_for(queue, key, LIFETIME_S);
}

const char *media_link_for(const char *queue, const char *key,
                           int64_t lifetime_s)
{
    const struct storage_settings making = {
        .media_url = "/media/",
        .secret = text_of(SECRET),
        .link_lifetime_s = lifetime_s,
    };
    struct links *links = links_new(&making);
    const struct text link = links_make(links, scratch, text_of(queue), key,
                                        TEXT_ABSENT, clock_wall_us() / 1000000);

    links_free(links);
    return link.data;
}

void media_add_digits(const char *queue)
{
    media_root_add(queue, MEDIA_KEY, text_of("0123456789"), 0);
}

char *media_add_big(const char *queue)
{
    char *content = malloc(MEDIA_BIG);

    ck_assert_ptr_nonnull(content);
    for (size_t i = 0; i < MEDIA_BIG; i++)
        content[i] = (char)(i * 7 + i / 1000);
    media_root_add(queue, MEDIA_KEY, (struct text){content, MEDIA_BIG}, 0);
    return content;
}

int media_ask(const char *link)
{
    const int asking = raw_connect(service_port(service));

    ck_assert(raw_say(asking, arena_printf(scratch,
                                           "GET %s HTTP/1.1\r\nHost: h\r\n"
                                           "Connection: close\r\n\r\n",
                                           link)));
    return asking;
}

void media_wait_for_head(int asking)
{
    struct pollfd descriptor = {.fd = asking, .events = POLLIN};
    char head[13];

    ck_assert_int_eq(poll(&descriptor, 1, MEDIA_ALL_MS), 1);
    ck_assert_int_ge(recv(asking, head, sizeof head - 1, MSG_PEEK), 12);
    head[12] = '\0';
    ck_assert_str_eq(head, "HTTP/1.1 200");
}

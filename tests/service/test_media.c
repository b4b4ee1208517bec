/*
 * The files of submissions, as graders fetch them: R42, B190.
 */
#include "server/api/media_places.h"
#include "server/base/clock.h"
#include "server/storage/link.h"
#include "tests/support/media_root.h"
#include "tests/support/raw_client.h"
#include "tests/support/service_story.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY       "0123456789abcdef0123456789abcdef"
#define SECRET    "the secret of all links"
#define OTHER     "fedcba9876543210fedcba9876543210"
#define NOT_FOUND "{\"return_code\": 1, \"content\": \"Not found\"}"

enum {
    MB = 1024 * 1024,
    BIG = 20 * MB,
    HUGE_BYTES = 1024 * MB - 1,
    STREAMS = MEDIA_PLACES,
    LIFETIME_S = 600,
    ALL_MS = 60000
};

static const struct service_settings settings = {
    .more = "SECRET_KEY: " SECRET "\n",
};

/* The path and query of a link that is good for so long. */
static const char *link_for(const char *queue, const char *key,
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

static const char *link_to(const char *queue, const char *key)
{
    return link_for(queue, key, LIFETIME_S);
}

static const struct reply *get_with(const char *path, const char *fields)
{
    const struct http_message message = {
        .method = "GET",
        .path = path,
        .fields = fields,
    };

    return http_send(client, &message);
}

/* The file KEY of that queue holds ten digits. */
static void add_digits(const char *queue)
{
    media_root_add(queue, KEY, text_of("0123456789"), 0);
}

static char *big_content(void)
{
    char *content = malloc(BIG);

    ck_assert_ptr_nonnull(content);
    for (size_t i = 0; i < BIG; i++)
        content[i] = (char)(i * 7 + i / 1000);
    return content;
}

static void expect_not_found(const char *path)
{
    const struct reply *reply = http_get(client, path);

    ck_assert_msg(reply->status == 404, "%s: %d", path, reply->status);
    expect_status(reply, 404, NOT_FOUND);
}

START_TEST(a_link_gives_the_file_without_a_login)
{
    const struct reply *reply;

    add_digits("plain");
    reply = http_get(client, link_to("plain", KEY));
    expect_status(reply, 200, "0123456789");
    expect_field(reply, "Content-Length", "10");
    expect_field(reply, "Content-Type", "application/octet-stream");
    expect_field(reply, "Content-Disposition", "attachment");
    expect_field(reply, "X-Content-Type-Options", "nosniff");
    expect_field(reply, "Cache-Control", "private");
    expect_field(reply, "Accept-Ranges", "bytes");
    expect_field(reply, "Content-Range", NULL);
}
END_TEST

START_TEST(an_empty_file_is_empty)
{
    media_root_add("empty", KEY, text_of(""), 0);
    expect_status(http_get(client, link_to("empty", KEY)), 200, "");
    expect_status(get_with(link_to("empty", KEY), "Range: bytes=0-0\r\n"), 416,
                  "");
}
END_TEST

START_TEST(a_range_gives_a_part)
{
    const char *link = link_to("range", KEY);
    const struct reply *reply;

    add_digits("range");
    reply = get_with(link, "Range: bytes=2-4\r\n");
    expect_status(reply, 206, "234");
    expect_field(reply, "Content-Range", "bytes 2-4/10");
    expect_field(reply, "Content-Length", "3");
    expect_status(get_with(link, "Range: bytes=7-\r\n"), 206, "789");
    expect_status(get_with(link, "Range: bytes=-2\r\n"), 206, "89");
    expect_status(get_with(link, "Range: bytes=9-99\r\n"), 206, "9");
    expect_status(get_with(link, "Range: lines=1-2\r\n"), 200, "0123456789");
    expect_status(get_with(link, "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n"),
                  200, "0123456789");
}
END_TEST

START_TEST(a_range_beyond_the_end_is_refused)
{
    const struct reply *reply;

    add_digits("beyond");
    reply = get_with(link_to("beyond", KEY), "Range: bytes=10-\r\n");
    expect_status(reply, 416, "");
    expect_field(reply, "Content-Range", "bytes */10");
    expect_field(reply, "Content-Length", "0");
    expect_status(http_get(client, link_to("beyond", KEY)), 200, "0123456789");
}
END_TEST

START_TEST(head_tells_the_length_alone)
{
    const char *link = link_to("head", KEY);
    const struct reply *reply;

    add_digits("head");
    reply = http_head(client, link);
    expect_status(reply, 200, "");
    expect_field(reply, "Content-Length", "10");
    expect_status(http_head(client, link_to("head", OTHER)), 404, "");
    expect_status(http_get(client, link), 200, "0123456789");
}
END_TEST

START_TEST(a_doubled_slash_in_front_does_no_harm)
{
    const char *link = link_to("slash", KEY);

    add_digits("slash");
    expect_status(http_get(client, arena_printf(scratch, "/%s", link)), 200,
                  "0123456789");
    expect_status(http_get(client, arena_printf(scratch, "//%s", link)), 200,
                  "0123456789");
    expect_not_found(arena_printf(scratch, "//media//slash/%s", KEY));
}
END_TEST

START_TEST(a_queue_may_have_any_name)
{
    const char *queue = "m\xc3\xa4rchen /%2f..";
    const char *folder = "m\xc3\xa4rchen %2F%252f..";
    const char *link = link_to(queue, KEY);

    media_root_add(folder, KEY, text_of("once"), 0);
    ck_assert_ptr_nonnull(strstr(link, "/m%C3%A4rchen%20%2F%252f../"));
    expect_status(http_get(client, link), 200, "once");
}
END_TEST

START_TEST(a_wrong_signature_finds_nothing)
{
    const char *link = link_to("signed", KEY);
    const char *bare = arena_printf(scratch, "/media/signed/%s", KEY);
    char *changed = arena_strdup(scratch, link);
    size_t last = strlen(changed) - 1;

    add_digits("signed");
    changed[last] = changed[last] == '0' ? '1' : '0';
    expect_not_found(changed);
    expect_not_found(bare);
    expect_not_found(arena_printf(scratch, "%s?", bare));
    expect_not_found(arena_printf(scratch, "%s?expires=9999999999", bare));
    expect_not_found(
        arena_printf(scratch, "%s?signature=%s%s", bare, KEY, KEY));
    expect_not_found(arena_printf(scratch, "%s&expires=9999999999", link));
    expect_status(http_get(client, link), 200, "0123456789");
}
END_TEST

START_TEST(an_expired_link_finds_nothing)
{
    add_digits("expired");
    expect_not_found(link_for("expired", KEY, -5));
    ck_assert_ptr_nonnull(strstr(
        arena_string(scratch,
                     service_wait_for_log(service, "the link has expired")),
        "media "));
}
END_TEST

START_TEST(a_link_is_for_one_file_of_one_queue)
{
    const char *query = strchr(link_to("mine", KEY), '?');

    add_digits("mine");
    add_digits("yours");
    media_root_add("mine", OTHER, text_of("other"), 0);
    expect_not_found(arena_printf(scratch, "/media/yours/%s%s", KEY, query));
    expect_not_found(arena_printf(scratch, "/media/mine/%s%s", OTHER, query));
    expect_not_found(link_to("mine", "00000000000000000000000000000000"));
    expect_not_found(link_to("nobody's", KEY));
}
END_TEST

static const char *const odd_paths[] = {
    "/media/",
    "/media",
    "/media/" KEY,
    "/media//" KEY,
    "/media/odd/",
    "/media/odd/" KEY "/",
    "/media/odd/" KEY "0",
    "/media/odd/0123456789ABCDEF0123456789ABCDEF",
    "/media/odd/%30123456789abcdef0123456789abcdef",
    "/media/../odd/" KEY,
    "/media/x/../odd/" KEY,
    "/media/%2e%2e/" KEY,
    "/media/..%2fodd/" KEY,
    "/media/%252e%252e%252fodd/" KEY,
    "/media/.%2Fodd/" KEY,
    "/media/odd/../../../../../../etc/passwd",
    "/media/..%2f..%2f..%2fetc/passwd",
    "/%6dedia/odd/" KEY,
    "/mediaodd/" KEY,
};

/* With a query that is good for the file where they want to get. */
START_TEST(a_path_that_wanders_finds_nothing)
{
    const char *query = strchr(link_to("odd", KEY), '?');

    add_digits("odd");
    for (size_t i = 0; i < ARRAY_LENGTH(odd_paths); i++) {
        expect_not_found(odd_paths[i]);
        expect_not_found(arena_printf(scratch, "%s%s", odd_paths[i], query));
    }
    expect_status(http_get(client, "/media/odd%00/" KEY), 400, NULL);
    expect_status(http_get(client, link_to("odd", KEY)), 200, "0123456789");
}
END_TEST

START_TEST(files_are_read_and_nothing_else)
{
    const char *link = link_to("method", KEY);
    struct http_message message = {.method = "PUT", .path = link};
    const struct reply *reply;

    add_digits("method");
    expect_status(http_post_form(client, link, HTTP_FORM({"a", "b", NULL})),
                  403, NULL);
    reply = http_send(client, &message);
    expect_status(reply, 405, NULL);
    expect_field(reply, "Allow", "GET, HEAD");
    ck_assert(media_root_has("method", KEY));
}
END_TEST

START_TEST(no_signature_gets_into_the_log)
{
    const char *link = link_to("logged", KEY);
    const char *signature = strstr(link, "signature=") + 10;
    const char *log;

    add_digits("logged");
    expect_status(http_get(client, link), 200, NULL);
    (void)service_wait_for_log(service, "queue=logged");
    log = arena_string(scratch, service_log(service));
    ck_assert_ptr_nonnull(strstr(log, " media "));
    ck_assert_ptr_null(strstr(log, signature));
    ck_assert_ptr_null(strstr(log, KEY));
}
END_TEST

START_TEST(twenty_megabytes_come_as_they_are)
{
    char *content = big_content();
    const struct reply *reply;

    media_root_add("big", KEY, (struct text){content, BIG}, 0);
    reply = http_get(client, link_to("big", KEY));
    expect_status(reply, 200, NULL);
    ck_assert_uint_eq(reply->body.size, BIG);
    ck_assert(memcmp(reply->body.data, content, BIG) == 0);
    reply = get_with(link_to("big", KEY), "Range: bytes=5000000-14999999\r\n");
    expect_status(reply, 206, NULL);
    ck_assert_uint_eq(reply->body.size, 10000000);
    ck_assert(memcmp(reply->body.data, content + 5000000, 10000000) == 0);
    free(content);
}
END_TEST

static int ask_for(const char *link)
{
    const int asking = raw_connect(service_port(service));

    ck_assert(raw_say(asking, arena_printf(scratch,
                                           "GET %s HTTP/1.1\r\nHost: h\r\n"
                                           "Connection: close\r\n\r\n",
                                           link)));
    return asking;
}

/* It takes nothing for a while, and holds up nobody. */
START_TEST(a_slow_client_gets_all_of_it)
{
    char *content = big_content();
    struct buffer reply = {NULL, 0, 0};
    const char *body;
    int asking;

    media_root_add("slow", KEY, (struct text){content, BIG}, 0);
    asking = ask_for(link_to("slow", KEY));
    for (size_t i = 0; i < 5; i++) {
        poll(NULL, 0, 100);
        expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    }
    ck_assert_int_eq(raw_read_all(asking, &reply, ALL_MS), RAW_CLOSED);
    ck_assert_int_eq(raw_status(&reply), 200);
    body = strstr(reply.data, "\r\n\r\n") + 4;
    ck_assert_uint_eq(reply.size - (size_t)(body - reply.data), BIG);
    ck_assert(memcmp(body, content, BIG) == 0);
    close(asking);
    buffer_free(&reply);
    free(content);
}
END_TEST

/* The head has come: its file is being sent. */
static void wait_for_head(int asking)
{
    struct pollfd descriptor = {.fd = asking, .events = POLLIN};
    char head[13];

    ck_assert_int_eq(poll(&descriptor, 1, ALL_MS), 1);
    ck_assert_int_ge(recv(asking, head, sizeof head - 1, MSG_PEEK), 12);
    head[12] = '\0';
    ck_assert_str_eq(head, "HTTP/1.1 200");
}

/* All places are taken. */
static void take_all_places(const char *link, int asking[STREAMS])
{
    for (size_t i = 0; i < STREAMS; i++) {
        asking[i] = ask_for(link);
        wait_for_head(asking[i]);
    }
}

/* What has come, away with it; false when the server has hung up. */
static bool take_some(int asking)
{
    static char bytes[MB];
    const ssize_t got = recv(asking, bytes, sizeof bytes, MSG_DONTWAIT);

    return got > 0 || (got < 0 && errno == EAGAIN);
}

static size_t count_open(const int asking[STREAMS])
{
    size_t open = 0;

    for (size_t i = 0; i < STREAMS; i++) {
        int error = 0;
        socklen_t size = sizeof error;

        ck_assert_int_eq(
            getsockopt(asking[i], SOL_SOCKET, SO_ERROR, &error, &size), 0);
        open += error == 0;
    }
    return open;
}

static void close_all(const int asking[STREAMS])
{
    for (size_t i = 0; i < STREAMS; i++)
        close(asking[i]);
}

START_TEST(of_those_who_do_not_read_one_goes_for_each_who_waits)
{
    char *content = big_content();
    const char *link = link_to("stalled", KEY);
    int64_t began_ms;
    int asking[STREAMS];

    media_root_add("stalled", KEY, (struct text){content, BIG}, 0);
    add_digits("small");
    take_all_places(link, asking);
    began_ms = clock_monotonic_ms();
    expect_status(http_get(client, link_to("small", KEY)), 200, "0123456789");
    ck_assert_int_lt(clock_monotonic_ms() - began_ms, 10000);
    ck_assert_uint_eq(count_open(asking), STREAMS - 1);
    (void)service_wait_for_log(service, "too slow and others waited");
    /* Now there is a place. */
    began_ms = clock_monotonic_ms();
    expect_status(http_get(client, link_to("small", KEY)), 200, "0123456789");
    ck_assert_int_lt(clock_monotonic_ms() - began_ms, MEDIA_LOOK_MS);
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    close_all(asking);
    free(content);
}
END_TEST

/* More than is read in a test, and takes no room on the disk. */
static void add_huge(const char *queue)
{
    media_root_add(queue, KEY, text_of(""), 0);
    ck_assert_int_eq(truncate(arena_printf(scratch, "%s/%s/" KEY,
                                           service_media_root(service), queue),
                              HUGE_BYTES),
                     0);
}

/* The first of them take what is there, and it is soon time for more. */
static void read_steadily(const int asking[STREAMS], size_t readers)
{
    for (size_t i = 0; i < readers; i++)
        ck_assert_msg(take_some(asking[i]), "%zu was cut", i);
    poll(NULL, 0, 200);
}

START_TEST(those_who_read_are_not_cut_for_others)
{
    int asking[STREAMS];

    add_huge("steady");
    add_digits("small");
    take_all_places(link_to("steady", KEY), asking);
    ck_assert(http_send_bytes(
        client,
        text_of(arena_printf(scratch, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
                             link_to("small", KEY)))));
    while (!http_has_input(client))
        read_steadily(asking, STREAMS - 1);
    expect_status(http_read_reply(client), 200, "0123456789");
    read_steadily(asking, STREAMS - 1);
    ck_assert_uint_eq(count_open(asking), STREAMS - 1);
    close_all(asking);
}
END_TEST

START_TEST(while_all_read_who_waits_too_long_is_asked_to_come_again)
{
    const struct reply *reply;
    int asking[STREAMS];

    add_huge("steady");
    take_all_places(link_to("steady", KEY), asking);
    ck_assert(http_send_bytes(
        client,
        text_of(arena_printf(scratch, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
                             link_to("steady", KEY)))));
    while (!http_has_input(client))
        read_steadily(asking, STREAMS);
    reply = http_read_reply(client);
    expect_status(reply, 503, NULL);
    expect_field(reply, "Retry-After", "2");
    close_all(asking);
}
END_TEST

/* Another server on the same folder, and what it is told. */
static struct service *start_other(const char *more)
{
    struct service *other = service_new(&(struct service_settings){
        .database = story_database(),
        .more = more,
    });

    service_serve(other);
    http_client_set_port(client, service_port(other));
    return other;
}

START_TEST(unsigned_files_are_for_all_who_know_their_names)
{
    struct service *other = start_other(
        arena_printf(scratch, "MEDIA_ROOT: %s\nMEDIA_UNSIGNED: true\n",
                     service_media_root(service)));

    add_digits("open");
    expect_status(http_get(client, "/media/open/" KEY), 200, "0123456789");
    expect_status(http_get(client, "//media/open/" KEY), 200, "0123456789");
    expect_status(http_get(client, "/media/open/" KEY "?expires=1&signature=2"),
                  200, "0123456789");
    expect_not_found("/media/open/" OTHER);
    for (size_t i = 0; i < ARRAY_LENGTH(odd_paths); i++)
        expect_not_found(odd_paths[i]);
    service_stop(other);
}
END_TEST

START_TEST(the_path_is_the_one_of_media_url)
{
    struct service *other = start_other(arena_printf(
        scratch, "MEDIA_ROOT: %s\nMEDIA_UNSIGNED: true\nMEDIA_URL: a/b\n",
        service_media_root(service)));

    add_digits("moved");
    expect_status(http_get(client, "/a/b/moved/" KEY), 200, "0123456789");
    expect_not_found("/media/moved/" KEY);
    service_stop(other);
}
END_TEST

START_TEST(without_a_storage_there_are_no_files_and_all_else_goes_on)
{
    struct service *other = start_other("MEDIA_ROOT: /dev/null/media\n");
    const struct reply *reply = http_get(client, link_to("gone", KEY));

    expect_status(reply, 503, NULL);
    expect_field(reply, "Retry-After", "2");
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    service_stop(other);
}
END_TEST

/* The client takes nothing and does not go. */
START_TEST(a_server_that_stops_does_not_wait_for_ever)
{
    struct service *other = start_other(arena_printf(
        scratch, "MEDIA_ROOT: %s\nMEDIA_UNSIGNED: true\nSTOP_TIMEOUT: 1\n",
        service_media_root(service)));
    char *content = big_content();
    int asking = raw_connect(service_port(other));

    media_root_add("stop", KEY, (struct text){content, BIG}, 0);
    ck_assert(raw_say(asking, "GET /media/stop/" KEY " HTTP/1.1\r\n"
                              "Host: h\r\n\r\n"));
    wait_for_head(asking);
    service_stop(other);
    close(asking);
    free(content);
}
END_TEST

SERVICE_STORY(
    "media", &settings, TELL(a_link_gives_the_file_without_a_login),
    TELL(an_empty_file_is_empty), TELL(a_range_gives_a_part),
    TELL(a_range_beyond_the_end_is_refused), TELL(head_tells_the_length_alone),
    TELL(a_doubled_slash_in_front_does_no_harm),
    TELL(a_queue_may_have_any_name), TELL(a_wrong_signature_finds_nothing),
    TELL(an_expired_link_finds_nothing),
    TELL(a_link_is_for_one_file_of_one_queue),
    TELL(a_path_that_wanders_finds_nothing),
    TELL(files_are_read_and_nothing_else), TELL(no_signature_gets_into_the_log),
    TELL(twenty_megabytes_come_as_they_are), TELL(a_slow_client_gets_all_of_it),
    TELL(of_those_who_do_not_read_one_goes_for_each_who_waits),
    TELL(those_who_read_are_not_cut_for_others),
    TELL(while_all_read_who_waits_too_long_is_asked_to_come_again),
    TELL(unsigned_files_are_for_all_who_know_their_names),
    TELL(the_path_is_the_one_of_media_url),
    TELL(without_a_storage_there_are_no_files_and_all_else_goes_on),
    TELL(a_server_that_stops_does_not_wait_for_ever))

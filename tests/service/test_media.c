/*
 * The files of submissions, as graders fetch them: R42, B190.
 */
#include "server/base/clock.h"
#include "tests/support/media_root.h"
#include "tests/support/media_story.h"
#include "tests/support/raw_client.h"
#include "tests/support/service_story.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OTHER     "fedcba9876543210fedcba9876543210"
#define NOT_FOUND "{\"return_code\": 1, \"content\": \"Not found\"}"

static const struct reply *get_with(const char *path, const char *fields)
{
    const struct http_message message = {
        .method = "GET",
        .path = path,
        .fields = fields,
    };

    return http_send(client, &message);
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

    media_add_digits("plain");
    reply = http_get(client, media_link("plain", MEDIA_KEY));
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
    media_root_add("empty", MEDIA_KEY, text_of(""), 0);
    expect_status(http_get(client, media_link("empty", MEDIA_KEY)), 200, "");
    expect_status(
        get_with(media_link("empty", MEDIA_KEY), "Range: bytes=0-0\r\n"), 416,
        "");
}
END_TEST

START_TEST(a_range_gives_a_part)
{
    const char *link = media_link("range", MEDIA_KEY);
    const struct reply *reply;

    media_add_digits("range");
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

    media_add_digits("beyond");
    reply = get_with(media_link("beyond", MEDIA_KEY), "Range: bytes=10-\r\n");
    expect_status(reply, 416, "");
    expect_field(reply, "Content-Range", "bytes */10");
    expect_field(reply, "Content-Length", "0");
    expect_status(http_get(client, media_link("beyond", MEDIA_KEY)), 200,
                  "0123456789");
}
END_TEST

START_TEST(head_tells_the_length_alone)
{
    const char *link = media_link("head", MEDIA_KEY);
    const struct reply *reply;

    media_add_digits("head");
    reply = http_head(client, link);
    expect_status(reply, 200, "");
    expect_field(reply, "Content-Length", "10");
    expect_status(http_head(client, media_link("head", OTHER)), 404, "");
    expect_status(http_get(client, link), 200, "0123456789");
}
END_TEST

START_TEST(a_doubled_slash_in_front_does_no_harm)
{
    const char *link = media_link("slash", MEDIA_KEY);

    media_add_digits("slash");
    expect_status(http_get(client, arena_printf(scratch, "/%s", link)), 200,
                  "0123456789");
    expect_status(http_get(client, arena_printf(scratch, "//%s", link)), 200,
                  "0123456789");
    expect_not_found(arena_printf(scratch, "//media//slash/%s", MEDIA_KEY));
}
END_TEST

START_TEST(a_queue_may_have_any_name)
{
    const char *queue = "m\xc3\xa4rchen /%2f..";
    const char *folder = "m\xc3\xa4rchen %2F%252f..";
    const char *link = media_link(queue, MEDIA_KEY);

    media_root_add(folder, MEDIA_KEY, text_of("once"), 0);
    ck_assert_ptr_nonnull(strstr(link, "/m%C3%A4rchen%20%2F%252f../"));
    expect_status(http_get(client, link), 200, "once");
}
END_TEST

START_TEST(a_wrong_signature_finds_nothing)
{
    const char *link = media_link("signed", MEDIA_KEY);
    const char *bare = arena_printf(scratch, "/media/signed/%s", MEDIA_KEY);
    char *changed = arena_strdup(scratch, link);
    size_t last = strlen(changed) - 1;

    media_add_digits("signed");
    changed[last] = changed[last] == '0' ? '1' : '0';
    expect_not_found(changed);
    expect_not_found(bare);
    expect_not_found(arena_printf(scratch, "%s?", bare));
    expect_not_found(arena_printf(scratch, "%s?expires=9999999999", bare));
    expect_not_found(
        arena_printf(scratch, "%s?signature=%s%s", bare, MEDIA_KEY, MEDIA_KEY));
    expect_not_found(arena_printf(scratch, "%s&expires=9999999999", link));
    expect_status(http_get(client, link), 200, "0123456789");
}
END_TEST

START_TEST(an_expired_link_finds_nothing)
{
    media_add_digits("expired");
    expect_not_found(media_link_for("expired", MEDIA_KEY, -5));
    ck_assert_ptr_nonnull(strstr(
        arena_string(scratch,
                     service_wait_for_log(service, "the link has expired")),
        "media "));
}
END_TEST

START_TEST(a_link_is_for_one_file_of_one_queue)
{
    const char *query = strchr(media_link("mine", MEDIA_KEY), '?');

    media_add_digits("mine");
    media_add_digits("yours");
    media_root_add("mine", OTHER, text_of("other"), 0);
    expect_not_found(
        arena_printf(scratch, "/media/yours/%s%s", MEDIA_KEY, query));
    expect_not_found(arena_printf(scratch, "/media/mine/%s%s", OTHER, query));
    expect_not_found(media_link("mine", "00000000000000000000000000000000"));
    expect_not_found(media_link("nobody's", MEDIA_KEY));
}
END_TEST

static const char *const odd_paths[] = {
    "/media/",
    "/media",
    "/media/" MEDIA_KEY,
    "/media//" MEDIA_KEY,
    "/media/odd/",
    "/media/odd/" MEDIA_KEY "/",
    "/media/odd/" MEDIA_KEY "0",
    "/media/odd/0123456789ABCDEF0123456789ABCDEF",
    "/media/odd/%30123456789abcdef0123456789abcdef",
    "/media/../odd/" MEDIA_KEY,
    "/media/x/../odd/" MEDIA_KEY,
    "/media/%2e%2e/" MEDIA_KEY,
    "/media/..%2fodd/" MEDIA_KEY,
    "/media/%252e%252e%252fodd/" MEDIA_KEY,
    "/media/.%2Fodd/" MEDIA_KEY,
    "/media/odd/../../../../../../etc/passwd",
    "/media/..%2f..%2f..%2fetc/passwd",
    "/%6dedia/odd/" MEDIA_KEY,
    "/mediaodd/" MEDIA_KEY,
};

/* With a query that is good for the file where they want to get. */
START_TEST(a_path_that_wanders_finds_nothing)
{
    const char *query = strchr(media_link("odd", MEDIA_KEY), '?');

    media_add_digits("odd");
    for (size_t i = 0; i < ARRAY_LENGTH(odd_paths); i++) {
        expect_not_found(odd_paths[i]);
        expect_not_found(arena_printf(scratch, "%s%s", odd_paths[i], query));
    }
    expect_status(http_get(client, "/media/odd%00/" MEDIA_KEY), 400, NULL);
    expect_status(http_get(client, media_link("odd", MEDIA_KEY)), 200,
                  "0123456789");
}
END_TEST

START_TEST(files_are_read_and_nothing_else)
{
    const char *link = media_link("method", MEDIA_KEY);
    struct http_message message = {.method = "PUT", .path = link};
    const struct reply *reply;

    media_add_digits("method");
    expect_status(http_post_form(client, link, HTTP_FORM({"a", "b", NULL})),
                  403, NULL);
    reply = http_send(client, &message);
    expect_status(reply, 405, NULL);
    expect_field(reply, "Allow", "GET, HEAD");
    ck_assert(media_root_has("method", MEDIA_KEY));
}
END_TEST

START_TEST(no_signature_gets_into_the_log)
{
    const char *link = media_link("logged", MEDIA_KEY);
    const char *signature = strstr(link, "signature=") + 10;
    const char *log;

    media_add_digits("logged");
    expect_status(http_get(client, link), 200, NULL);
    (void)service_wait_for_log(service, "queue=logged");
    log = arena_string(scratch, service_log(service));
    ck_assert_ptr_nonnull(strstr(log, " media "));
    ck_assert_ptr_null(strstr(log, signature));
    ck_assert_ptr_null(strstr(log, MEDIA_KEY));
}
END_TEST

START_TEST(twenty_megabytes_come_as_they_are)
{
    char *content = media_add_big("big");
    const struct reply *reply;

    reply = http_get(client, media_link("big", MEDIA_KEY));
    expect_status(reply, 200, NULL);
    ck_assert_uint_eq(reply->body.size, MEDIA_BIG);
    ck_assert(memcmp(reply->body.data, content, MEDIA_BIG) == 0);
    reply = get_with(media_link("big", MEDIA_KEY),
                     "Range: bytes=5000000-14999999\r\n");
    expect_status(reply, 206, NULL);
    ck_assert_uint_eq(reply->body.size, 10000000);
    ck_assert(memcmp(reply->body.data, content + 5000000, 10000000) == 0);
    free(content);
}
END_TEST

/* It takes nothing for a while, and holds up nobody. */
START_TEST(a_slow_client_gets_all_of_it)
{
    char *content = media_add_big("slow");
    struct buffer reply = {NULL, 0, 0};
    const char *body;
    int asking;

    asking = media_ask(media_link("slow", MEDIA_KEY));
    for (size_t i = 0; i < 5; i++) {
        poll(NULL, 0, 100);
        expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    }
    ck_assert_int_eq(raw_read_all(asking, &reply, MEDIA_ALL_MS), RAW_CLOSED);
    ck_assert_int_eq(raw_status(&reply), 200);
    body = strstr(reply.data, "\r\n\r\n") + 4;
    ck_assert_uint_eq(reply.size - (size_t)(body - reply.data), MEDIA_BIG);
    ck_assert(memcmp(body, content, MEDIA_BIG) == 0);
    close(asking);
    buffer_free(&reply);
    free(content);
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

    media_add_digits("open");
    expect_status(http_get(client, "/media/open/" MEDIA_KEY), 200,
                  "0123456789");
    expect_status(http_get(client, "//media/open/" MEDIA_KEY), 200,
                  "0123456789");
    expect_status(
        http_get(client, "/media/open/" MEDIA_KEY "?expires=1&signature=2"),
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

    media_add_digits("moved");
    expect_status(http_get(client, "/a/b/moved/" MEDIA_KEY), 200, "0123456789");
    expect_not_found("/media/moved/" MEDIA_KEY);
    service_stop(other);
}
END_TEST

START_TEST(without_a_storage_there_are_no_files_and_all_else_goes_on)
{
    struct service *other = start_other("MEDIA_ROOT: /dev/null/media\n");
    const struct reply *reply = http_get(client, media_link("gone", MEDIA_KEY));

    expect_status(reply, 503, NULL);
    expect_field(reply, "Retry-After", "2");
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    service_stop(other);
}
END_TEST

/*
 * The client takes nothing and does not go. It has STOP_TIMEOUT, and the two
 * seconds in which what is cut off may end.
 */
START_TEST(a_server_that_stops_does_not_wait_for_ever)
{
    struct service *other = start_other(arena_printf(
        scratch, "MEDIA_ROOT: %s\nMEDIA_UNSIGNED: true\nSTOP_TIMEOUT: 1\n",
        service_media_root(service)));
    int asking = raw_connect(service_port(other));
    int64_t before_ms;

    free(media_add_big("stop"));
    ck_assert(raw_say(asking, "GET /media/stop/" MEDIA_KEY " HTTP/1.1\r\n"
                              "Host: h\r\n\r\n"));
    media_wait_for_head(asking);
    before_ms = clock_monotonic_ms();
    service_stop(other);
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 1000);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 6000);
    close(asking);
}
END_TEST

SERVICE_STORY(
    "media", &media_settings, TELL(a_link_gives_the_file_without_a_login),
    TELL(an_empty_file_is_empty), TELL(a_range_gives_a_part),
    TELL(a_range_beyond_the_end_is_refused), TELL(head_tells_the_length_alone),
    TELL(a_doubled_slash_in_front_does_no_harm),
    TELL(a_queue_may_have_any_name), TELL(a_wrong_signature_finds_nothing),
    TELL(an_expired_link_finds_nothing),
    TELL(a_link_is_for_one_file_of_one_queue),
    TELL(a_path_that_wanders_finds_nothing),
    TELL(files_are_read_and_nothing_else), TELL(no_signature_gets_into_the_log),
    TELL(twenty_megabytes_come_as_they_are), TELL(a_slow_client_gets_all_of_it),
    TELL(unsigned_files_are_for_all_who_know_their_names),
    TELL(the_path_is_the_one_of_media_url),
    TELL(without_a_storage_there_are_no_files_and_all_else_goes_on),
    TELL(a_server_that_stops_does_not_wait_for_ever))

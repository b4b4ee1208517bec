/*
 * server/storage/s3*.c when S3 is away, not well, or says odd things.
 */
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/s3_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_WELL "<Error><Code>InternalError</Code></Error>"

enum { LONGEST_MS = 9500 }; /* an LMS waits 10 s */

/* As S3 is asked for it: /uploads/PREFIX/queue. */
static char folder[96];
static struct storage_upload uploads[3];

static void before_each(void);
static struct storage_put put_all(size_t count);
static int64_t put_in_time(struct storage_put *put);
static size_t count_requests(struct peer *peer, const char *start);
static size_t count_deletions(struct peer *peer,
                              const struct storage_upload *parts, size_t count);
static struct storage_settings settings_for(struct peer *peer);
static void use_peer(struct peer *peer);

START_TEST(a_server_that_is_gone_is_told_in_time)
{
    char url[64];
    struct storage_put put = put_all(3);

    snprintf(url, sizeof url, "http://127.0.0.1:%u", port_reserve());
    s3_story_begin(url);
    put_in_time(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(put.reason, "(PUT, try 3)"));
}
END_TEST

START_TEST(a_server_that_stalls_is_asked_three_times)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    struct storage_put put = put_all(1);

    use_peer(peer);
    put_in_time(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_uint_eq(count_requests(peer, "PUT "), 3);
    peer_stop(peer);
}
END_TEST

START_TEST(a_put_that_stalls_is_taken_back)
{
    const struct peer_rule rules[] = {
        {.times = 3, .manner = PEER_STALL},
        {.status = 204},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_put put = put_all(1);

    use_peer(peer);
    put_in_time(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_uint_eq(count_requests(peer, "PUT "), 3);
    ck_assert_uint_eq(count_requests(peer, "DELETE "), 1);
    peer_stop(peer);
}
END_TEST

START_TEST(a_server_that_is_not_well_is_asked_again)
{
    const struct peer_rule rules[] = {
        {.times = 1, .status = 500, .body = NOT_WELL},
        {.times = 1, .manner = PEER_RESET},
        {.status = 200},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_put put = put_all(1);

    use_peer(peer);
    put_in_time(&put);
    ck_assert_msg(put.status == STORAGE_OK, "%s", put.reason);
    ck_assert_uint_eq(count_requests(peer, "PUT "), 3);
    ck_assert_uint_eq(count_requests(peer, "DELETE "), 0);
    peer_stop(peer);
}
END_TEST

START_TEST(after_three_times_it_says_why)
{
    const struct peer_rule rules[] = {
        {.times = 3, .status = 503, .body = NOT_WELL},
        {.status = 204},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_put put = put_all(1);

    use_peer(peer);
    ck_assert_int_lt(put_in_time(&put), 4000);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason,
                     "S3 answered 503 InternalError to a PUT (try 3)");
    ck_assert_uint_eq(count_requests(peer, "DELETE "), 1);
    peer_stop(peer);
}
END_TEST

/* What was refused has not come: two of three are there to be deleted. */
START_TEST(a_failure_in_the_middle_leaves_nothing)
{
    const struct peer_rule rules[] = {
        {.times = 1, .status = 200},
        {.times = 1, .status = 403, .delay_ms = 300},
        {.status = 200},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_put put = put_all(3);

    use_peer(peer);
    put_in_time(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "S3 answered 403 to a PUT (try 1)");
    ck_assert_uint_eq(count_requests(peer, "PUT "), 3);
    ck_assert_uint_eq(count_requests(peer, "DELETE "), 2);
    ck_assert_uint_eq(count_deletions(peer, uploads, 3), 2);
    peer_stop(peer);
}
END_TEST

/* Two have the same header and names; one of them fails when all has come. */
START_TEST(no_put_takes_back_what_another_one_has_put)
{
    const struct peer_rule rules[] = {
        {.times = 1, .status = 403, .delay_ms = 500},
        {.status = 200},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_upload parts[2][2] = {{uploads[0], uploads[1]},
                                         {uploads[0], uploads[1]}};
    struct storage_put puts[] = {put_all(2), put_all(2)};
    size_t bad;

    use_peer(peer);
    for (size_t i = 0; i < 2; i++)
        puts[i].uploads = parts[i];
    do_puts(puts, 2);
    ck_assert(puts[0].status != puts[1].status);
    bad = puts[0].status == STORAGE_OK ? 1 : 0;
    ck_assert_uint_eq(count_requests(peer, "DELETE "), 1);
    ck_assert_uint_eq(count_deletions(peer, parts[bad], 2), 1);
    ck_assert_uint_eq(count_deletions(peer, parts[1 - bad], 2), 0);
    peer_stop(peer);
}
END_TEST

START_TEST(a_refusal_is_told_in_its_own_word)
{
    const struct peer_rule rules[] = {
        {.status = 301,
         .body = "<Error><Code>PermanentRedirect</Code></Error>"},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_put put = put_all(1);

    use_peer(peer);
    put_in_time(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason,
                     "S3 answered 301 PermanentRedirect to a PUT (try 1)");
    ck_assert_uint_eq(peer_request_count(peer), 1);
    peer_stop(peer);
}
END_TEST

START_TEST(a_put_says_what_it_sends)
{
    struct peer *peer = peer_start_one((struct peer_rule){.status = 200});
    struct storage_put put = put_all(1);
    const struct peer_request *request;

    use_peer(peer);
    put_in_time(&put);
    request = peer_request(peer, 0);
    ck_assert(text_equal_string(request->body, "content"));
    ck_assert(text_equal_string(peer_header(request, "Content-Type"),
                                "application/octet-stream"));
    ck_assert(text_equal_string(peer_header(request, "Content-Length"), "7"));
    ck_assert(text_equal_string(
        peer_header(request, "x-amz-content-sha256"),
        "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"));
    ck_assert_ptr_nonnull(
        strstr(peer_header(request, "Authorization").data,
               "SignedHeaders=content-type;host;x-amz-content-sha256;"
               "x-amz-date,"));
    peer_stop(peer);
}
END_TEST

START_TEST(pages_follow_each_other)
{
    const struct peer_rule rules[] = {
        {.times = 1,
         .body = "<ListBucketResult><IsTruncated>true</IsTruncated>"
                 "<NextContinuationToken>to+ken/=&amp;</NextContinuationToken>"
                 "<Contents><Key>p/queue/0123456789abcdef0123456789abcdef</Key>"
                 "<Size>1</Size>"
                 "<LastModified>1970-01-01T00:00:01.000Z</LastModified>"
                 "</Contents></ListBucketResult>"},
        {.times = 1,
         .body = "<ListBucketResult><IsTruncated>false</IsTruncated>"
                 "<Contents><Key>p/queue/fedcba9876543210fedcba9876543210</Key>"
                 "<Size>2</Size>"
                 "<LastModified>1970-01-01T00:00:02.000Z</LastModified>"
                 "</Contents></ListBucketResult>"},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct storage_list list = {.marker = NULL};
    struct storage_settings settings = settings_for(peer);

    use_peer(peer);
    settings.prefix = "p";
    s3_story_use(&settings);
    do_list(&list);
    ck_assert_msg(list.status == STORAGE_OK, "%s", list.reason);
    ck_assert(list.more);
    ck_assert_str_eq(list.marker, "to+ken/=&");
    ck_assert_str_eq(list.files[0].key, "0123456789abcdef0123456789abcdef");
    do_list(&list);
    ck_assert(!list.more);
    ck_assert_ptr_null(list.marker);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.files[0].modified_us, 2000000);
    ck_assert_ptr_nonnull(
        strstr(peer_request(peer, 0)->line, "list-type=2&prefix=p%2F"));
    ck_assert_ptr_nonnull(strstr(peer_request(peer, 1)->line,
                                 "continuation-token=to%2Bken%2F%3D%26&"));
    peer_stop(peer);
}
END_TEST

START_TEST(what_is_no_list_is_none)
{
    static const char *const bodies[] = {
        "",
        "hello",
        "<ListBucketResult>",
        "<html></html>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult/>",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct peer *peer =
            peer_start_one((struct peer_rule){.body = bodies[i]});
        struct storage_list list = {.marker = xstrdup("marker")};

        use_peer(peer);
        do_list(&list);
        ck_assert_int_eq(list.status, STORAGE_UNAVAILABLE);
        ck_assert_str_eq(list.reason, "S3 answered something that is no list");
        ck_assert_str_eq(list.marker, "marker");
        free(list.marker);
        storage_story_end();
        peer_stop(peer);
    }
    use_peer(NULL);
}
END_TEST

START_TEST(a_deletion_passes_over_what_cannot_be_deleted)
{
    char path[160];
    const struct peer_rule rules[] = {
        {.path = path,
         .status = 403,
         .body = "<?xml version='1.0'?><Error><Code>AccessDenied</Code>"},
        {.status = 204},
    };
    struct storage_file files[3];
    struct storage_delete job = {.files = files, .count = 3};
    struct peer *peer;

    for (size_t i = 0; i < 3; i++) {
        files[i] = (struct storage_file){.queue_name = text_of("queue")};
        file_key_new(files[i].key);
    }
    snprintf(path, sizeof path, "%s/%s", folder, files[1].key);
    peer = peer_start(rules, ARRAY_LENGTH(rules));
    use_peer(peer);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(job.reason,
                     "S3 answered 403 AccessDenied to a DELETE (try 1)");
    ck_assert_uint_eq(job.deleted, 2);
    peer_stop(peer);
}
END_TEST

START_TEST(a_deletion_gives_up_when_nobody_answers)
{
    enum { MANY = 5000 };
    struct storage_file *files = xcalloc(MANY, sizeof *files);
    struct storage_delete job = {.files = files, .count = MANY};
    const int64_t started_ms = clock_monotonic_ms();
    char url[64];

    for (size_t i = 0; i < MANY; i++) {
        files[i].queue_name = text_of("queue");
        snprintf(files[i].key, sizeof files[i].key, "%032zx", i);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port_reserve());
    s3_story_begin(url);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    ck_assert_uint_eq(job.deleted, 0);
    ck_assert_int_lt(clock_monotonic_ms() - started_ms, LONGEST_MS);
    free(files);
}
END_TEST

START_TEST(many_puts_at_once_end_in_time_when_s3_stalls)
{
    enum { PUTS = 40 };
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    struct storage_put puts[PUTS];
    struct storage_upload parts[PUTS];
    const int64_t started_ms = clock_monotonic_ms();

    for (size_t i = 0; i < PUTS; i++) {
        parts[i] = uploads[0];
        puts[i] = put_all(1);
        puts[i].uploads = &parts[i];
    }
    use_peer(peer);
    do_puts(puts, PUTS);
    ck_assert_int_lt(clock_monotonic_ms() - started_ms, LONGEST_MS);
    for (size_t i = 0; i < PUTS; i++)
        ck_assert_int_eq(puts[i].status, STORAGE_UNAVAILABLE);
    peer_stop(peer);
}
END_TEST

static void before_each(void)
{
    static const char *const names[] = {"a", "b", "c"};
    const char *prefix = s3_story_settings("").prefix;

    snprintf(folder, sizeof folder, "/uploads/test%%20%s/queue",
             prefix + strlen("test "));
    for (size_t i = 0; i < 3; i++)
        uploads[i] = (struct storage_upload){.name = text_of(names[i]),
                                             .content = text_of("content")};
}

/* Of the first files. */
static struct storage_put put_all(size_t count)
{
    return (struct storage_put){
        .queue_name = text_of("queue"),
        .header = text_of("header"),
        .uploads = uploads,
        .count = count,
    };
}

static int64_t put_in_time(struct storage_put *put)
{
    const int64_t started_ms = clock_monotonic_ms();
    int64_t took_ms;

    do_put(put);
    took_ms = clock_monotonic_ms() - started_ms;
    ck_assert_int_lt(took_ms, LONGEST_MS);
    return took_ms;
}

/* Whose first line begins so. */
static size_t count_requests(struct peer *peer, const char *start)
{
    const size_t all = peer_request_count(peer);
    size_t count = 0;

    for (size_t i = 0; i < all; i++) {
        if (text_starts_with(text_of(peer_request(peer, i)->line), start))
            count++;
    }
    return count;
}

static size_t count_deletions(struct peer *peer,
                              const struct storage_upload *parts, size_t count)
{
    char line[160];
    size_t deletions = 0;

    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof line, "DELETE %s/%s ", folder, parts[i].key);
        deletions += count_requests(peer, line);
    }
    return deletions;
}

static struct storage_settings settings_for(struct peer *peer)
{
    static char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u",
             peer == NULL ? 1 : peer_port(peer));
    return s3_story_settings(url);
}

static void use_peer(struct peer *peer)
{
    s3_story_begin(settings_for(peer).endpoint);
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_server_that_is_gone_is_told_in_time),
        TELL(a_server_that_stalls_is_asked_three_times),
        TELL(a_put_that_stalls_is_taken_back),
        TELL(a_server_that_is_not_well_is_asked_again),
        TELL(after_three_times_it_says_why),
        TELL(a_failure_in_the_middle_leaves_nothing),
        TELL(no_put_takes_back_what_another_one_has_put),
        TELL(a_refusal_is_told_in_its_own_word),
        TELL(a_put_says_what_it_sends),
        TELL(pages_follow_each_other),
        TELL(what_is_no_list_is_none),
        TELL(a_deletion_passes_over_what_cannot_be_deleted),
        TELL(a_deletion_gives_up_when_nobody_answers),
        TELL(many_puts_at_once_end_in_time_when_s3_stalls),
    };
    static const struct story story = {
        .name = "files in S3, faults",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = before_each,
        .after_each = storage_story_end,
    };

    return story_run(&story);
}

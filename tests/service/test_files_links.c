/*
 * Links to files, of rows as a Django server has left them too: R42, R43, R56,
 * B198, B199.
 */
#include "server/base/json.h"
#include "tests/support/media_root.h"
#include "tests/support/push_story.h"
#include "tests/support/upload.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY   "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define ERROR "\"Error fetching submission for %s. Please try again.\""

static const struct service_settings settings = {
    .queues =
        "{django: null, longmap: null, oldmap: null, gone: null,"
        " lost: null, away: null, broken: null, proxied: null, restart: null,"
        " few: null, many: null}",
};

/* As a Django server would have stored it, with these columns. */
static void submit_as_django(const char *queue, const char *url,
                             const char *keys, const char *urls)
{
    char name[200];

    expect_status(lms_submit(lms_header(queue, url), "b"), 200, NULL);
    snprintf(name, sizeof name, "queue_name = '%s' ORDER BY id DESC LIMIT 1",
             queue);
    mariadb_run("UPDATE queue_submission SET s3_keys = '%s', s3_urls = '%s'"
                " WHERE %s",
                keys, urls, name);
}

static const char *attempts(const char *queue)
{
    return mariadb_value("SELECT CONCAT(l.attempts, ' ', l.state)"
                         " FROM xqueue_live l JOIN queue_submission s"
                         " ON s.id = l.id WHERE s.queue_name = '%s'"
                         " ORDER BY l.id LIMIT 1",
                         queue);
}

static const char *map_columns(const char *column)
{
    return strcmp(column, "keys") == 0
               ? "{\"KEY_FOR_EXTERNAL_DICTS\": \"" KEY "\"}"
               : "{\"URL_FOR_EXTERNAL_DICTS\": \"/media/q/" KEY "\"}";
}

static void submit_with_map(const char *queue, const char *url)
{
    submit_as_django(queue, url, map_columns("keys"), map_columns("urls"));
}

static void expect_error(const char *queue)
{
    expect_reply(get_submission(queue), 1, arena_printf(scratch, ERROR, queue));
}

START_TEST(a_row_of_django_gets_links_that_lead_to_its_files)
{
    const struct upload uploads[] = {{"a.py", {"print(1)", 8}}};

    log_in(client);
    submit_as_django("django", NULL, "{\"a.py\": \"" KEY "\"}",
                     "{\"a.py\": \"/media/django/" KEY "\"}");
    media_root_add("django", KEY, uploads[0].content, 5);
    expect_files(grader_pull("django").files, uploads, 1);
}
END_TEST

START_TEST(a_long_map_of_django_comes_back_whole)
{
    const struct upload uploads[] = {{"a.py", {"print(1)", 8}},
                                     {"\xC3\xA9", {"", 0}}};

    log_in(client);
    submit_with_map("longmap", NULL);
    media_root_add(
        "longmap", KEY,
        text_of("{\"files\": {\"a.py\": \"/x\", \"\\u00e9\": \"/y\"},"
                " \"keys\": {\"a.py\": \"" OTHER "\", \"\\u00e9\":"
                " \"00000000000000000000000000000000\"}}"),
        5);
    media_root_add("longmap", OTHER, uploads[0].content, 5);
    media_root_add("longmap", "00000000000000000000000000000000",
                   uploads[1].content, 5);
    expect_files(grader_pull("longmap").files, uploads, 2);
}
END_TEST

START_TEST(a_long_map_without_keys_is_given_as_it_is)
{
    log_in(client);
    submit_with_map("oldmap", NULL);
    media_root_add("oldmap", KEY,
                   text_of("{\"files\":{\"a\":\"http://s3/a\"}}"), 5);
    expect_text(grader_pull("oldmap").files, "{\"a\": \"http://s3/a\"}");
}
END_TEST

/* It counts: in the end the learner is told. The next one is handed out. */
START_TEST(a_map_that_is_gone_does_not_stop_the_queue)
{
    log_in(client);
    submit_with_map("gone", NULL);
    expect_status(lms_submit(lms_header("gone", NULL), "next"), 200, NULL);
    expect_error("gone");
    ck_assert_str_eq(attempts("gone"), "1 1");
    expect_text(grader_pull("gone").body, "next");
}
END_TEST

/* Of the database, by hand: as with a file of Django. */
static void submit_and_lose_map(const char *queue, const char *url)
{
    const struct upload *uploads = many_uploads(60);

    expect_status(lms_upload(lms_header(queue, url), "b", uploads, 60), 200,
                  NULL);
    mariadb_run("DELETE FROM xqueue_files WHERE id ="
                " (SELECT MAX(id) FROM queue_submission)");
}

START_TEST(a_row_of_a_map_that_is_gone_does_not_stop_the_queue)
{
    log_in(client);
    submit_and_lose_map("lost", NULL);
    expect_status(lms_submit(lms_header("lost", NULL), "next"), 200, NULL);
    expect_error("lost");
    ck_assert_str_eq(attempts("lost"), "1 1");
    expect_text(grader_pull("lost").body, "next");
}
END_TEST

START_TEST(a_map_that_cannot_be_read_just_now_costs_no_attempt)
{
    const char *root = service_media_root(service);
    const char *away = arena_printf(scratch, "%s.away", root);
    const struct upload uploads[] = {{"a", {"A", 1}}};

    log_in(client);
    submit_with_map("away", NULL);
    media_root_add("away", KEY, text_of("{\"keys\": {\"a\": \"" OTHER "\"}}"),
                   5);
    media_root_add("away", OTHER, uploads[0].content, 5);
    ck_assert_int_eq(rename(root, away), 0);
    expect_error("away");
    ck_assert_str_eq(attempts("away"), "0 0");
    ck_assert_int_eq(rename(away, root), 0);
    expect_files(grader_pull("away").files, uploads, 1);
    ck_assert_str_eq(attempts("away"), "1 1");
}
END_TEST

START_TEST(what_is_no_map_is_given_as_it_stands)
{
    static const char *const keys[] = {
        "",
        "no json",
        "[]",
        "{\"a\": 5}",
        "5",
        "{\"a\": null}",
        "{\"a\": \"\"}",
        "{\"a\": \"../../x\"}",
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        submit_as_django("broken", NULL, keys[i], "not json either");
        expect_text(grader_pull("broken").files, "not json either");
    }
}
END_TEST

static struct sink *lms;
static struct peer *grader;

/* Pulled for now: nothing is to leave before it is as the test wants it. */
static void begin_push(const char *queue)
{
    lms = sink_start(0);
    grader = peer_start_one((struct peer_rule){.body = "right"});
    log_in(client);
    push_queues("{%s: null}", queue);
}

static void push_now(const char *queue)
{
    push_queues("{%s: '%s'}", queue, peer_url(grader, "/"));
}

static void end_push(void)
{
    peer_stop(grader);
    sink_stop(lms);
    service_set_queues(service, settings.queues);
    service_signal(service, SIGHUP, "result=ok");
}

static const struct upload of_map[] = {{"a", {"A", 1}}};

/* With one file, which is named in a file of Django. */
static void submit_for_push(const char *queue)
{
    submit_with_map(queue, sink_url(lms, "/"));
    media_root_add(queue, KEY, text_of("{\"keys\": {\"a\": \"" OTHER "\"}}"),
                   5);
    media_root_add(queue, OTHER, of_map[0].content, 5);
}

static void expect_pushed_with_map(const char *queue)
{
    const struct json_value *request;

    ck_assert(peer_wait(grader, 1, 20000));
    ck_assert(
        json_parse_object(scratch, peer_request(grader, 0)->body, &request));
    expect_files(json_text(json_get(request, "xqueue_files")), of_map, 1);
    push_expect_result(lms, queue, "right");
}

static void expect_learner_is_told(const char *queue)
{
    push_expect_failure(lms, queue);
    ck_assert_uint_eq(peer_request_count(grader), 0);
}

START_TEST(a_push_has_the_long_map_of_django_too)
{
    begin_push("pushmap");
    submit_for_push("pushmap");
    push_now("pushmap");
    expect_pushed_with_map("pushmap");
    end_push();
}
END_TEST

START_TEST(a_push_waits_for_a_storage_that_is_away)
{
    const char *root = service_media_root(service);
    const char *away = arena_printf(scratch, "%s.away", root);

    begin_push("pushaway");
    submit_for_push("pushaway");
    ck_assert_int_eq(rename(root, away), 0);
    push_now("pushaway");
    (void)service_wait_for_log(service, "submissions to queue pushaway wait");
    ck_assert_uint_eq(peer_request_count(grader), 0);
    ck_assert_int_eq(rename(away, root), 0);
    expect_pushed_with_map("pushaway");
    end_push();
}
END_TEST

START_TEST(a_push_whose_map_is_gone_fails_and_the_learner_is_told)
{
    begin_push("nomap");
    submit_with_map("nomap", sink_url(lms, "/"));
    push_now("nomap");
    expect_learner_is_told("nomap");
    end_push();
}
END_TEST

START_TEST(a_push_whose_row_of_a_map_is_gone_fails_as_well)
{
    begin_push("norow");
    submit_and_lose_map("norow", sink_url(lms, "/"));
    push_now("norow");
    expect_learner_is_told("norow");
    end_push();
}
END_TEST

START_TEST(behind_a_proxy_links_are_as_it_was_called)
{
    const struct upload uploads[] = {{"a", {"A", 1}}};
    const struct http_message message = {
        .method = "GET",
        .path = "/xqueue/get_submission/?queue_name=proxied",
        .fields = "X-Forwarded-Proto: https\r\n",
    };
    const char *link;
    const char *start;

    log_in(client);
    expect_status(lms_upload(lms_header("proxied", NULL), "b", uploads, 1), 200,
                  NULL);
    link = link_of(read_pulled(http_send(client, &message)).files, "a");
    start = arena_printf(scratch, "https://127.0.0.1:%u/media/proxied/",
                         (unsigned)service_port(service));
    ck_assert_msg(strncmp(link, start, strlen(start)) == 0, "%s", link);
}
END_TEST

/* They share a secret by the database. */
START_TEST(each_process_takes_the_links_of_the_others)
{
    const struct upload uploads[] = {{"a", {"A", 1}}};
    struct service *other = service_start(&(struct service_settings){
        .database = story_database(),
        .queues = settings.queues,
        .more = arena_printf(scratch,
                             "MEDIA_ROOT: %s\nPUBLIC_URL: https://x.example\n",
                             service_media_root(service)),
    });
    const char *link;

    log_in(client);
    expect_status(lms_upload(lms_header("restart", NULL), "b", uploads, 1), 200,
                  NULL);
    http_client_set_port(client, service_port(other));
    log_in(client);
    link = link_of(grader_pull("restart").files, "a");
    ck_assert_msg(strncmp(link, "https://x.example/media/restart/", 32) == 0,
                  "%s", link);
    http_client_set_port(client, service_port(service));
    expect_status(http_get(client, link + strlen("https://x.example")), 200,
                  "A");
    service_stop(other);
}
END_TEST

/*
 * Of many files only the keys are kept, and without a storage there are no
 * links: a grader must not get the submission without its files.
 */
START_TEST(without_a_storage_nothing_is_handed_out_without_its_files)
{
    const struct upload *uploads = many_uploads(100);
    struct service *other = service_start(&(struct service_settings){
        .database = story_database(),
        .queues = settings.queues,
        .more = "MEDIA_ROOT: /dev/null/media\n",
    });
    struct text few;

    log_in(client);
    expect_reply(lms_upload(lms_header("many", NULL), "b", uploads, 100), 0,
                 "\"1\"");
    expect_reply(lms_upload(lms_header("few", NULL), "b", uploads, 1), 0,
                 "\"1\"");
    http_client_set_port(client, service_port(other));
    log_in(client);
    expect_error("many");
    ck_assert_str_eq(attempts("many"), "0 0");
    few = grader_pull("few").files;
    http_client_set_port(client, service_port(service));
    log_in(client);
    expect_files(few, uploads, 1);
    expect_files(grader_pull("many").files, uploads, 100);
    service_stop(other);
}
END_TEST

SERVICE_STORY("links to files", &settings,
              TELL(a_row_of_django_gets_links_that_lead_to_its_files),
              TELL(a_long_map_of_django_comes_back_whole),
              TELL(a_long_map_without_keys_is_given_as_it_is),
              TELL(a_map_that_is_gone_does_not_stop_the_queue),
              TELL(a_row_of_a_map_that_is_gone_does_not_stop_the_queue),
              TELL(a_map_that_cannot_be_read_just_now_costs_no_attempt),
              TELL(what_is_no_map_is_given_as_it_stands),
              TELL(without_a_storage_nothing_is_handed_out_without_its_files),
              TELL(a_push_has_the_long_map_of_django_too),
              TELL(a_push_waits_for_a_storage_that_is_away),
              TELL(a_push_whose_map_is_gone_fails_and_the_learner_is_told),
              TELL(a_push_whose_row_of_a_map_is_gone_fails_as_well),
              TELL(behind_a_proxy_links_are_as_it_was_called),
              TELL(each_process_takes_the_links_of_the_others))

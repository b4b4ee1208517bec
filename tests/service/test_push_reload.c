/*
 * SIGHUP with other XQUEUES: queues start to be pushed, stop, or get another
 * grader, and nothing is lost by it.
 */
#include "tests/support/port.h"
#include "tests/support/push_story.h"

#include <string.h>

static const struct service_settings settings = {
    .more = "GRADING_TIMEOUT: 5\nPUSH_RETRY_SECONDS: 60\n",
};

static struct sink *lms;

static void begin(void)
{
    lms = sink_start(0);
    log_in(client);
}

static void expect_nothing_under_way(const char *queue)
{
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM xqueue_push p JOIN"
                           " xqueue_queue q ON q.id = p.queue_id"
                           " WHERE q.name = '%s'",
                           queue);
}

static void point_to_nobody(const char *queue)
{
    push_queues("{%s: 'http://127.0.0.1:%u/'}", queue,
                (unsigned)port_reserve());
}

START_TEST(what_waits_in_a_queue_is_pushed_once_it_has_a_grader)
{
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});

    begin();
    push_queues("{starts: null}");
    push_submit("starts", sink_url(lms, "/"), "body");
    push_queues("{starts: '%s'}", peer_url(grader, "/"));
    push_expect_result(lms, "starts", "right");
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(a_push_ends_as_it_began)
{
    struct peer *grader =
        peer_start_one((struct peer_rule){.body = "right", .delay_ms = 1000});

    begin();
    push_queues("{ends: '%s'}", peer_url(grader, "/"));
    push_submit("ends", sink_url(lms, "/"), "body");
    ck_assert(peer_wait(grader, 1, 10000));
    push_queues("{other: null}");
    push_expect_result(lms, "ends", "right");
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(a_queue_without_its_grader_is_pulled_from)
{
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});
    struct pulled pulled;

    begin();
    push_queues("{stops: '%s'}", peer_url(grader, "/"));
    push_submit("stops", sink_url(lms, "/"), "body");
    push_expect_result(lms, "stops", "right");
    push_queues("{stops: null}");
    push_submit("stops", sink_url(lms, "/2"), "body 2");
    pulled = grader_pull("stops");
    expect_text(pulled.body, "body 2");
    expect_reply(grader_put_result(pulled.header, "pulled"), 0, "\"\"");
    expect_text(sink_wait(lms, 2, 10000).items[1].body, "pulled");
    ck_assert_uint_eq(peer_request_count(grader), 1);
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(what_waited_for_a_dead_grader_is_pushed_to_the_new_one)
{
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});

    begin();
    point_to_nobody("moves");
    push_submit("moves", sink_url(lms, "/"), "body");
    for (int i = 0; i < 3; i++)
        service_wait_for_log(service, "result=retry");
    push_queues("{moves: '%s'}", peer_url(grader, "/"));
    push_expect_result(lms, "moves", "right");
    ck_assert_uint_eq(peer_request_count(grader), 1);
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(what_the_old_grader_says_does_not_stop_the_new_one)
{
    struct peer *busy = peer_start_one((struct peer_rule){
        .status = 503, .headers = "Retry-After: 300\r\n", .delay_ms = 1000});
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});

    begin();
    push_queues("{leaves: '%s'}", peer_url(busy, "/"));
    push_submit("leaves", sink_url(lms, "/1"), "body");
    ck_assert(peer_wait(busy, 1, 10000));
    push_queues("{leaves: '%s'}", peer_url(grader, "/"));
    push_submit("leaves", sink_url(lms, "/2"), "body");
    expect_text(sink_wait(lms, 2, 10000).items[1].body, "right");
    peer_stop(busy);
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(what_waited_for_a_dead_grader_can_be_pulled)
{
    struct pulled pulled;
    const char *line;

    begin();
    point_to_nobody("dies");
    push_submit("dies", sink_url(lms, "/"), "body");
    service_wait_for_log(service, "result=retry");
    push_queues("{dies: null}");
    expect_nothing_under_way("dies");
    line = arena_string(scratch, service_wait_for_log(service, "given back"));
    ck_assert_ptr_nonnull(strstr(line, " info push "));
    pulled = grader_pull("dies");
    expect_text(pulled.body, "body");
    ck_assert_value("1", "SELECT attempts FROM xqueue_live WHERE id = %lld",
                    (long long)pulled.id);
    sink_stop(lms);
}
END_TEST

START_TEST(a_queue_may_go_and_come_again)
{
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});

    begin();
    point_to_nobody("returns");
    push_submit("returns", sink_url(lms, "/"), "body");
    service_wait_for_log(service, "result=retry");
    push_queues("{other: null}");
    expect_nothing_under_way("returns");
    ck_assert_str_eq(push_fate("returns"),
                     "sent 0 back 0 failures 0 ack 0 retired 0");
    push_queues("{returns: '%s'}", peer_url(grader, "/"));
    push_expect_result(lms, "returns", "right");
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(a_push_has_the_settings_of_its_time)
{
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});

    begin();
    push_queues("{settings: {url: '%s', basic_auth: [a, b]}}",
                peer_url(grader, "/"));
    push_submit("settings", NULL, "body");
    expect_text(peer_header(peer_request(grader, 0), "Authorization"),
                "Basic YTpi");
    push_queues("{settings: {url: '%s', basic_auth: [a, c]}}",
                peer_url(grader, "/"));
    push_submit("settings", NULL, "body");
    expect_text(peer_header(peer_request(grader, 1), "Authorization"),
                "Basic YTpj");
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(of_many_reloads_nothing_is_lost_or_pushed_twice)
{
    const struct peer_rule rule = {.body = "right", .delay_ms = 10};
    struct peer *graders[] = {peer_start_one(rule), peer_start_one(rule)};
    static const size_t rounds = 12;

    begin();
    for (size_t i = 0; i < rounds; i++) {
        const char *url = peer_url(graders[i % 2], "/");

        if (i % 3 == 2)
            push_queues("{turns: null}");
        else
            push_queues("{turns: {url: '%s', concurrency: 2}}", url);
        for (size_t j = 0; j < 5; j++)
            push_submit("turns",
                        sink_url(lms, arena_printf(scratch, "/%zu/%zu", i, j)),
                        "body");
    }
    push_queues("{turns: '%s'}", peer_url(graders[0], "/"));
    sink_wait(lms, 60, 30000);
    ck_assert_uint_eq(
        peer_request_count(graders[0]) + peer_request_count(graders[1]), 60);
    mariadb_wait_for_value("60",
                           "SELECT COUNT(*) FROM queue_submission WHERE"
                           " queue_name = 'turns' AND retired AND lms_ack AND"
                           " num_failures = 0 AND grader_reply = 'right'");
    peer_stop(graders[0]);
    peer_stop(graders[1]);
    sink_stop(lms);
}
END_TEST

SERVICE_STORY("reloading push queues", &settings,
              TELL(what_waits_in_a_queue_is_pushed_once_it_has_a_grader),
              TELL(a_push_ends_as_it_began),
              TELL(a_queue_without_its_grader_is_pulled_from),
              TELL(what_waited_for_a_dead_grader_is_pushed_to_the_new_one),
              TELL(what_the_old_grader_says_does_not_stop_the_new_one),
              TELL(what_waited_for_a_dead_grader_can_be_pulled),
              TELL(a_queue_may_go_and_come_again),
              TELL(a_push_has_the_settings_of_its_time),
              TELL(of_many_reloads_nothing_is_lost_or_pushed_twice))

/*
 * The connections and the passwords with which a passive grader is reached,
 * as XQUEUES says them.
 */
#include "tests/support/push_story.h"

#include <string.h>

enum { PUSHES = 5 };

static const struct service_settings settings = {.more = NULL};

static struct sink *lms;
static struct peer *grader;

static void begin(void)
{
    grader = peer_start_one((struct peer_rule){.body = "right"});
    lms = sink_start(0);
    log_in(client);
}

static void end(void)
{
    peer_stop(grader);
    sink_stop(lms);
}

static void push_several(const char *queue)
{
    for (int i = 0; i < PUSHES; i++)
        push_submit(queue, sink_url(lms, arena_printf(scratch, "/%d", i)),
                    "body");
    sink_wait(lms, PUSHES, 20000);
    ck_assert_uint_eq(peer_request_count(grader), PUSHES);
}

START_TEST(each_push_has_a_connection_of_its_own)
{
    begin();
    push_queues("{single: '%s'}", peer_url(grader, "/"));
    push_several("single");
    ck_assert_uint_eq(peer_connection_count(grader), 5);
    end();
}
END_TEST

START_TEST(a_connection_serves_several_pushes_when_the_queue_says_so)
{
    begin();
    push_queues("{kept: {url: '%s', keep_alive: true}}", peer_url(grader, "/"));
    push_several("kept");
    ck_assert_uint_eq(peer_connection_count(grader), 1);
    end();
}
END_TEST

/* "http://USER@127.0.0.1:PORT/" */
static void expect_sent(const char *queue, const char *user,
                        const char *authorization)
{
    struct text sent;

    begin();
    push_queues("{%s: 'http://%s@127.0.0.1:%u/'}", queue, user,
                (unsigned)peer_port(grader));
    push_submit(queue, sink_url(lms, "/"), "body");
    sent = peer_header(peer_request(grader, 0), "Authorization");
    push_expect_result(lms, queue, "right");
    if (authorization == NULL)
        ck_assert(text_is_absent(sent));
    else
        expect_text(sent, authorization);
    ck_assert_value("1",
                    "SELECT COUNT(*) FROM queue_submission"
                    " WHERE queue_name = '%s'"
                    " AND grader_id = 'http://127.0.0.1:%u/'",
                    queue, (unsigned)peer_port(grader));
    end();
}

START_TEST(user_and_password_in_an_address_are_sent_and_not_kept)
{
    expect_sent("both", "me:can%61ry", "Basic bWU6Y2FuYXJ5");
    expect_sent("no_password", "me:", "Basic bWU6");
    expect_sent("no_user", ":canary", "Basic OmNhbmFyeQ==");
    expect_sent("no_colon", "me", NULL);
    ck_assert_ptr_null(
        strstr(arena_string(scratch, service_log(service)), "can"));
}
END_TEST

SERVICE_STORY("connections of pushes", &settings,
              TELL(each_push_has_a_connection_of_its_own),
              TELL(a_connection_serves_several_pushes_when_the_queue_says_so),
              TELL(user_and_password_in_an_address_are_sent_and_not_kept))

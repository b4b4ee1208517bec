/*
 * How many wait: R25, R26, R28.
 */
#include "tests/support/service_story.h"

static const struct service_settings settings = {
    .queues = "{zebra: null, test-pull: null, 'ant é': null, pushed:"
              " 'http://127.0.0.1:1/'}",
};

#define NAMES "\"Valid queue names are: zebra, test-pull, ant \\u00e9, pushed\""

START_TEST(it_is_a_number)
{
    log_in(client);
    expect_reply(get_queuelen("zebra"), 0, "0");
    expect_status(lms_submit(lms_header("zebra", NULL), "b"), 200, NULL);
    expect_status(lms_submit(lms_header("zebra", NULL), "b"), 200, NULL);
    expect_reply(get_queuelen("zebra"), 0, "2");
    expect_reply(get_queuelen("test-pull"), 0, "0");
}
END_TEST

START_TEST(what_a_grader_has_does_not_count)
{
    struct pulled pulled;

    log_in(client);
    expect_status(lms_submit(lms_header("ant é", NULL), "b"), 200, NULL);
    expect_status(lms_submit(lms_header("ant é", NULL), "b"), 200, NULL);
    pulled = grader_pull("ant é");
    expect_reply(get_queuelen("ant é"), 0, "1");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    expect_reply(get_queuelen("ant é"), 0, "1");
    (void)grader_pull("ant é");
    expect_reply(get_queuelen("ant é"), 0, "0");
}
END_TEST

START_TEST(a_superseded_one_counts_once)
{
    log_in(client);
    for (int i = 0; i < 3; i++)
        expect_status(lms_submit(lms_header("test-pull", "http://h/same"), "b"),
                      200, NULL);
    expect_reply(get_queuelen("test-pull"), 0, "1");
}
END_TEST

START_TEST(an_unknown_queue_is_answered_with_all_names_in_their_order)
{
    log_in(client);
    expect_reply(get_queuelen("nothing"), 1, NAMES);
    expect_reply(get_queuelen("Zebra"), 1, NAMES);
    expect_reply(get_queuelen("zebra "), 1, NAMES);
    expect_reply(get_queuelen(""), 1, NAMES);
    expect_reply(http_get(client, "/xqueue/get_queuelen/?queue_name"), 1,
                 NAMES);
    expect_reply(http_get(client, "/xqueue/get_queuelen/?queue_name=zebra%00"),
                 1, NAMES);
    expect_reply(http_get(client, "/xqueue/get_queuelen/?queue_name=%FFzebra"),
                 1, NAMES);
    expect_reply(http_get(client, "/xqueue/get_queuelen/?queue_name=zebra;x"),
                 1, NAMES);
}
END_TEST

START_TEST(a_name_may_be_written_in_many_ways)
{
    const char *const queries[] = {
        "queue_name=test-pull",
        "queue_name=test%2Dpull",
        "%71ueue_name=test-pull",
        "queue_name=zebra&queue_name=test-pull",
        "block=true&queue_name=test-pull&x",
        "&&queue_name=test-pull&",
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++)
        expect_reply(
            http_get(client, arena_printf(scratch, "/xqueue/get_queuelen/?%s",
                                          queries[i])),
            0, "1");
    expect_reply(
        http_get(client, "/xqueue/get_queuelen/?queue_name=ant+%c3%A9"), 0,
        "0");
}
END_TEST

START_TEST(a_name_must_be_given)
{
    const char *const queries[] = {"", "?", "?queue=zebra", "?Queue_name=zebra",
                                   "?queue_name%00=zebra"};

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++)
        expect_reply(
            http_get(client, arena_printf(scratch, "/xqueue/get_queuelen/%s",
                                          queries[i])),
            1, "\"'get_queuelen' must provide parameter 'queue_name'\"");
}
END_TEST

START_TEST(a_push_queue_is_a_queue_like_any)
{
    log_in(client);
    ck_assert_int_eq(get_queuelen("pushed")->status, 200);
}
END_TEST

SERVICE_STORY("get_queuelen", &settings, TELL(it_is_a_number),
              TELL(what_a_grader_has_does_not_count),
              TELL(a_superseded_one_counts_once),
              TELL(an_unknown_queue_is_answered_with_all_names_in_their_order),
              TELL(a_name_may_be_written_in_many_ways),
              TELL(a_name_must_be_given),
              TELL(a_push_queue_is_a_queue_like_any))

/*
 * A place at a grader goes from one push to the next within the server, which
 * has claimed that one before.
 */
#include "tests/support/push_story.h"

enum { WAIT_MS = 30000 };

static const struct service_settings settings = {.queues = NULL};

static struct sink *lms;
static struct peer *peer;
static struct db_conn *db;

static void submit(const char *queue, int number)
{
    push_submit(queue, sink_url(lms, arena_printf(scratch, "/%d", number)),
                arena_printf(scratch, "body %d", number));
}

/* Of a quick grader, which is known to be one. */
static void begin(const struct peer_rule *rules, size_t count)
{
    peer = peer_start(rules, count);
    lms = sink_start(0);
    log_in(client);
    db = db_conn_new(story_database());
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    push_queues("{quick: '%s'}", peer_url(peer, "/"));
    submit("quick", 1);
    push_expect_result(lms, "quick", "right");
}

static void end(void)
{
    db_conn_free(db);
    peer_stop(peer);
    sink_stop(lms);
}

START_TEST(a_quick_grader_waits_for_no_record)
{
    const struct peer_rule rules[] = {
        {.times = 1, .body = "right"},
        {.times = 1, .body = "right", .delay_ms = 1000},
        {.body = "right"},
    };

    begin(rules, ARRAY_LENGTH(rules));
    submit("quick", 2);
    ck_assert(peer_wait(peer, 2, WAIT_MS));
    /* Nobody can record this one now. */
    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "SELECT id FROM xqueue_live FOR UPDATE"), DB_OK);
    submit("quick", 3);
    ck_assert_uint_eq(peer_request_count(peer), 2);
    ck_assert(peer_wait(peer, 3, WAIT_MS));
    ck_assert_value("2", "SELECT COUNT(*) FROM queue_submission"
                         " WHERE return_time IS NULL");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_push");
    ck_assert_int_eq(db_execute_text(db, "ROLLBACK"), DB_OK);
    sink_wait(lms, 3, WAIT_MS);
    mariadb_wait_for_value("3", "SELECT COUNT(*) FROM queue_submission WHERE"
                                " retired AND lms_ack AND num_failures = 0");
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_push");
    ck_assert_uint_eq(peer_request_count(peer), 3);
    end();
}
END_TEST

SERVICE_STORY("places at a grader", &settings,
              TELL(a_quick_grader_waits_for_no_record))

/*
 * What tests of pushes say.
 */
#include "tests/support/push_story.h"

#include "server/base/buffer.h"
#include "server/deliver/failure_message.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESULT_MS = 20000 };

void push_queues(const char *format, ...)
{
    char *queues = NULL;
    va_list list;

    va_start(list, format);
    ck_assert_int_ge(vasprintf(&queues, format, list), 0);
    va_end(list);
    service_set_queues(service, queues);
    free(queues);
    service_signal(service, SIGHUP, "result=ok");
}

void push_submit(const char *queue, const char *callback_url, const char *body)
{
    expect_status(lms_submit(lms_header(queue, callback_url), body), 200, NULL);
}

const char *push_fate(const char *queue)
{
    return mariadb_value("SELECT CONCAT('sent ', push_time IS NOT NULL,"
                         " ' back ', return_time IS NOT NULL,"
                         " ' failures ', num_failures, ' ack ', lms_ack,"
                         " ' retired ', retired)"
                         " FROM queue_submission WHERE queue_name = '%s'",
                         queue);
}

void push_expect_fate(const char *queue, const char *expected)
{
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM xqueue_live l JOIN"
                           " queue_submission s ON s.id = l.id"
                           " WHERE s.queue_name = '%s'",
                           queue);
    ck_assert_str_eq(push_fate(queue), expected);
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM xqueue_push p JOIN"
                           " xqueue_queue q ON q.id = p.queue_id"
                           " WHERE q.name = '%s'",
                           queue);
}

void push_expect_failure(struct sink *lms, const char *queue)
{
    struct received_list list = sink_wait(lms, 1, RESULT_MS);

    expect_text(list.items[0].body, failure_message().data);
    push_expect_fate(queue, "sent 1 back 1 failures 1 ack 1 retired 1");
    ck_assert_uint_eq(sink_received(lms).count, 1);
}

void push_expect_result(struct sink *lms, const char *queue, const char *result)
{
    struct received_list list = sink_wait(lms, 1, RESULT_MS);

    expect_text(list.items[0].body, result);
    push_expect_fate(queue, "sent 1 back 1 failures 0 ack 1 retired 1");
    ck_assert_uint_eq(sink_received(lms).count, 1);
}

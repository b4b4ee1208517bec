/*
 * What the database says about a history, in questions of plain SQL.
 */
#include "tests/support/history_private.h"
#include "tests/support/mariadb.h"

#include <stdio.h>
#include <string.h>

enum { CHUNK = 500 /* numbers in one question */ };

static void ask(struct buffer *problems, const char *what, const char *expected,
                const char *sql);
static void ask_for(const struct history *history, struct buffer *problems,
                    const struct buffer *numbers, int count);

char *history_check_database(struct history *history)
{
    struct buffer problems = {NULL, 0, 0};
    struct buffer numbers = {NULL, 0, 0};
    int count = 0;

    ask(&problems, "unfinished", "0", "SELECT COUNT(*) FROM xqueue_live");
    ask(&problems, "waiting", "0", "SELECT COUNT(*) FROM xqueue_ready");
    ask(&problems, "undelivered", "0", "SELECT COUNT(*) FROM xqueue_outbox");
    ask(&problems, "being pushed", "0", "SELECT COUNT(*) FROM xqueue_push");
    ask(&problems, "counted as waiting", "0",
        "SELECT COALESCE(SUM(waiting), 0) FROM xqueue_depth");
    ask(&problems, "not retired", "0",
        "SELECT COUNT(*) FROM queue_submission WHERE retired = 0");
    ask(&problems, "stored twice", "0",
        "SELECT COUNT(*) - COUNT(DISTINCT CAST(SUBSTRING_INDEX(xqueue_body,"
        " ' ', 1) AS UNSIGNED)) FROM queue_submission");
    for (size_t i = 0; i <= history->count; i++) {
        const struct event *event = &history->events[i];

        if (count > 0 && (count == CHUNK || i == history->count)) {
            ask_for(history, &problems, &numbers, count);
            buffer_clear(&numbers);
            count = 0;
        }
        if (i < history->count && event->kind == EVENT_SUBMIT &&
            event->outcome == OUTCOME_OK)
            buffer_printf(&numbers, "%s'%lld'", count++ > 0 ? ", " : "",
                          (long long)event->number);
    }
    buffer_free(&numbers);
    return problems.data;
}

static void ask(struct buffer *problems, const char *what, const char *expected,
                const char *sql)
{
    const char *value = mariadb_value("%s", sql);

    if (strcmp(value, expected) != 0)
        buffer_printf(problems, "database: %s: %s, not %s\n", what, value,
                      expected);
}

/*
 * Acknowledged ones that are there, finished, with the result of their key,
 * or their grade.
 */
static void ask_for(const struct history *history, struct buffer *problems,
                    const struct buffer *numbers, int count)
{
    static const char put[] =
        "grader_reply = CONCAT('result of ',"
        " SUBSTRING_INDEX(xqueue_body, ' ', 1), ' under ', pullkey)";
    static const char grade[] =
        "grader_reply LIKE CONCAT('{\"correct\": true, %<p>submission ',"
        " SUBSTRING_INDEX(xqueue_body, ' ', 1), ', time %')";
    struct buffer sql = {NULL, 0, 0};
    char expected[16];

    snprintf(expected, sizeof expected, "%d", count);
    buffer_printf(&sql,
                  "SELECT COUNT(*) FROM queue_submission WHERE"
                  " SUBSTRING_INDEX(xqueue_body, ' ', 1) IN (%s)"
                  " AND lms_ack = 1 AND retired = 1 AND %s",
                  numbers->data, history->is_pushed ? grade : put);
    ask(problems, "acknowledged and finished", expected, sql.data);
    buffer_free(&sql);
}

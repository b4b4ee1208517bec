/*
 * What the log says of pushes.
 */
#include "server/deliver/push_log.h"

#include "server/base/log.h"
#include "server/deliver/callback_identity.h"

#include <string.h>

static void log_push(const struct push_report *report, const char *result);

void push_log_retry(const struct push_report *report)
{
    log_push(report, "retry");
}

void push_log_end(const struct push_report *report)
{
    static const char *const results[] = {
        [PUSH_GRADED] = "graded",
        [PUSH_FAILED] = "failed",
        [PUSH_UNSENT] = "given back",
        [PUSH_CUT_OFF] = "cut off",
    };

    log_push(report, report->end->job.status == DB_MISMATCH
                         ? "too late"
                         : results[report->end->outcome]);
}

void push_log_unrecorded(const struct push_report *report, const char *then)
{
    const struct push_end *end = report->end;

    log_event(LOG_WARNING, "push_unrecorded",
              log_integer("submission", end->id),
              log_string("queue", report->queue_name),
              log_string("reason", end->job.error), log_string("then", then));
}

/* What was given back was not sent: a reload or a stop is no trouble. */
static void log_push(const struct push_report *report, const char *result)
{
    const struct push_end *end = report->end;
    bool is_good =
        strcmp(result, "graded") == 0 || strcmp(result, "given back") == 0;

    log_event(is_good ? LOG_INFO : LOG_WARNING, "push",
              log_integer("req", (int64_t)report->number),
              log_integer("submission", end->id),
              log_string("queue", report->queue_name),
              log_text("to", callback_origin(end->grader_id)),
              log_integer("attempt", report->attempt),
              log_integer("tries", report->tries),
              log_integer("status", report->fetch->http_status),
              log_integer("ms", report->fetch->duration_ms),
              log_string("result", result),
              log_string("reason", report->reason));
}

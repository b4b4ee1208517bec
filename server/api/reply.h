/*
 * Every answer of the XQueue protocol. Each function sends the reply, writes
 * the request's line to the log, and ends the task.
 */
#ifndef XQUEUE_API_REPLY_H
#define XQUEUE_API_REPLY_H

#include "server/api/request.h"

/* 200 {"return_code": 0, "content": "<content>"} */
enum step reply_ok(struct task *task, struct text content) MUST_CHECK;

/* 200 {"return_code": 0, "content": <number>}: get_queuelen only (R25). */
enum step reply_ok_number(struct task *task, int64_t number) MUST_CHECK;

/* 200, with a body that is already written in full. */
enum step reply_ok_written(struct task *task, struct text body) MUST_CHECK;

/* reply_ok() with a Set-Cookie field. */
enum step reply_ok_cookie(struct task *task, struct text content,
                          const char *cookie) MUST_CHECK;

/* 200 {"return_code": 1, "content": "<reason>"}: the protocol's refusals. */
enum step reply_fail(struct task *task, const char *reason) MUST_CHECK;

/* The same with "Queue '<name>' <what>"; the name may hold any bytes. */
enum step reply_fail_queue(struct task *task, struct text name,
                           const char *what) MUST_CHECK;

/*
 * 503 with Retry-After: the database is away, or too much is waiting. Logs
 * what the job says of it.
 */
enum step reply_unavailable(struct task *task,
                            const struct db_job *job) MUST_CHECK;

/* 503 as well, for want of something other than the database. */
enum step reply_busy(struct task *task, const char *what) MUST_CHECK;

/* 301 or 302. `location` must be plain ASCII without line ends. */
enum step reply_redirect(struct task *task, int status,
                         const char *location) MUST_CHECK;

/* Any other status with a reason; `allow` is the Allow field or NULL. */
enum step reply_refused(struct task *task, int status, const char *reason,
                        const char *allow) MUST_CHECK;

/* 404; `why` is for the log alone. */
enum step reply_not_found(struct task *task, const char *why) MUST_CHECK;

/*
 * The end of a reply in pieces, which began with `status`; `result` is for
 * the log alone.
 */
enum step reply_end(struct task *task, struct http_stream *stream, int status,
                    const char *result) MUST_CHECK;

/* What request_read_form() found wrong: 400 or 415. */
enum step reply_form_refused(struct task *task,
                             enum form_status status) MUST_CHECK;

#endif

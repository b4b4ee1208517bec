/*
 * Tests of the hot set: a database with two queues, two connections to it,
 * and the operations in their plainest form. After each test that passes so
 * far, the depth counters are compared with the rows that really wait.
 *
 * A header is "7:problem" here: destination 7, and the problem is the hash of
 * the whole header.
 */
#ifndef XQUEUE_TESTS_SUPPORT_HOT_STORY_H
#define XQUEUE_TESTS_SUPPORT_HOT_STORY_H

#include "db/answer.h"
#include "db/expiry.h"
#include "db/outbox.h"
#include "db/pull.h"
#include "db/push.h"
#include "db/queue.h"
#include "db/submit.h"
#include "tests/support/conn_story.h"

enum { QUEUE = 1, OTHER_QUEUE = 2 };

/* For the length of a test, beside those of conn_story.h. */
extern struct db_conn *other_db;

void hot_story_begin(void);
void hot_story_end(void);

bool hot_identify(struct text header, unsigned char ret_problem[PROBLEM_SIZE],
                  int64_t *ret_destination);

/* A new submission, not stored yet; into QUEUE, with body "body". */
struct submission_insert insert_of(const char *header);

/* Stored; its id. */
int64_t submit(const char *header);

/* One that is asked for: of QUEUE, by "grader", for a minute. */
struct submission_pull pull_of(void);

/* It must succeed. */
struct submission_pull pull(void);

/* With this key, or with that of this pull. No callback delay. */
struct submission_answer answer_of(int64_t id, const char *pullkey,
                                   const char *reply);
enum db_status answer(const struct submission_pull *pulled, const char *reply);

/* Which of these wait? */
struct queue_look queue_look_of(const int64_t *queue_ids, size_t count,
                                bool *ret_waiting);

/*
 * One that is asked for: of QUEUE, for "http://grader", for a minute, all that
 * there is room for. What is composed is "request N", the submission's number.
 */
struct push_claim push_claim_of(size_t concurrency);

/* It must succeed; `count` items. */
struct push_claim push_claim(size_t concurrency, size_t count);

/* What became of that item of QUEUE. No callback delay. */
struct push_end push_end_of(const struct push_item *item,
                            enum push_outcome outcome, const char *reply);
enum db_status push_end(const struct push_item *item, enum push_outcome outcome,
                        const char *reply);

/* Every lease is over, and the sweep has seen it: 3 attempts at most. */
struct leases_expire sweep_of(void);
void expire(void);

/* All that is due at this destination; the owner is `owner` repeated. */
struct outbox_claim claim_of(int64_t destination, int owner);
struct outbox_claim claim(int64_t destination, int owner);

/* What became of the item of that claim. */
struct outbox_record record_of(const struct outbox_claim *claimed, size_t item,
                               enum outbox_outcome outcome);
void record(const struct outbox_claim *claimed, size_t item,
            enum outbox_outcome outcome);

/* Pull, answer "reply", claim and deliver: "7:..." only. */
struct submission_pull finish_next(void);

/* The live row's state, "" when it has none; and of queue_submission. */
const char *live_state(int64_t id);
const char *wide(const char *columns, int64_t id);

/*
 * Rows made by SQL, many at once: finished ones in queue_submission only, and
 * waiting ones of QUEUE in all tables.
 */
void add_finished(int count);
void add_waiting(int count);

/* Run it on `db`; how many rows and index entries the server read for that. */
int64_t reads_of_batch(struct db_job **jobs, size_t count);

/*
 * How many rows that connection's transaction keeps locked. The server must
 * have looked at its transactions anew: asked once a test.
 */
const char *rows_locked_by(struct db_conn *conn);

/* Until so many transactions wait for a row lock, with a deadline. */
void wait_for_waiting_locks(int count);

/* All or none: the batch's status. At most 64. */
enum db_status run_batch(struct db_conn *conn, struct db_job **jobs,
                         size_t count);

#define HOT_STORY(story_name, ...)                                             \
    int main(void)                                                             \
    {                                                                          \
        static const struct story_test tests[] = {__VA_ARGS__};                \
        static const struct story story = {                                    \
            .name = (story_name),                                              \
            .tests = tests,                                                    \
            .count = sizeof tests / sizeof tests[0],                           \
            .before_all = mariadb_start,                                       \
            .after_all = mariadb_stop,                                         \
            .before_each = hot_story_begin,                                    \
            .after_each = hot_story_end,                                       \
            .timeout_s = 60,                                                   \
        };                                                                     \
        return story_run(&story);                                              \
    }

#endif

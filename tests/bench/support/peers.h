/*
 * The peers of a server under load, each in a process of its own: an LMS that
 * takes callbacks, and a passive grader. They print nothing, and count in
 * memory that is shared with the benchmark. Start them before threads. One
 * thread.
 */
#ifndef XQUEUE_BENCH_PEERS_H
#define XQUEUE_BENCH_PEERS_H

#include "server/base/text.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * 200 with an empty body. It knows submissions apart by the path of their
 * callback URL: "/NUMBER", from 0 up to LMS_NUMBERS.
 */
struct fast_lms;

enum { LMS_NUMBERS = 1 << 24 };

struct fast_lms *fast_lms_start(void);
uint16_t fast_lms_port(const struct fast_lms *lms);
pid_t fast_lms_pid(const struct fast_lms *lms);
int64_t fast_lms_callbacks(const struct fast_lms *lms); /* so far */
int64_t fast_lms_distinct(const struct fast_lms *lms);  /* numbers */
int64_t fast_lms_strange(const struct fast_lms *lms);   /* without a number */
void fast_lms_stop(struct fast_lms *lms);

/*
 * Answers a push to any path with this JSON, after so long; if that is 0, those
 * that have come in one turn of its loop together. It sees how many it has in
 * hand.
 */
struct fast_grader;

struct fast_grader *fast_grader_start(const char *grade, int64_t takes_us);
uint16_t fast_grader_port(const struct fast_grader *grader);
pid_t fast_grader_pid(const struct fast_grader *grader);
int64_t fast_grader_pushes(const struct fast_grader *grader);  /* so far */
int64_t fast_grader_at_once(const struct fast_grader *grader); /* at most */
void fast_grader_reset(struct fast_grader *grader); /* both, while idle */
void fast_grader_stop(struct fast_grader *grader);

#endif

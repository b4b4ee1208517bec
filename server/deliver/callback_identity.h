/*
 * What a submission's header says about its callback. Pure; any thread.
 */
#ifndef XQUEUE_DELIVER_CALLBACK_IDENTITY_H
#define XQUEUE_DELIVER_CALLBACK_IDENTITY_H

#include "db/hot_set.h"

/*
 * The problem of one learner is the full callback URL, byte by byte: a hash
 * of it. (The Django server compared the first 128 characters, which many
 * problems share.)
 */
void callback_problem(struct text url, unsigned char ret_problem[PROBLEM_SIZE]);

/* A number for scheme, host and port of the URL, in any letter case. */
int64_t callback_destination(struct text url);

/*
 * Could a result ever be delivered there? Only asked of what looks like an
 * absolute URL: one with another scheme, a user's password, an impossible
 * port or a NUL in it is refused at once rather than after the grading.
 */
bool callback_is_possible(struct text url);

/*
 * "http://host:port" as it stands in the URL, for the log; absent when the
 * URL is none or holds a user's name or password.
 */
struct text callback_origin(struct text url);

/* The URL in the text of an xqueue_header; absent when there is none. */
struct text callback_url(struct arena *arena, struct text xqueue_header);

/* An identify_callback: both, from the text of an xqueue_header. */
bool callback_identify(struct text xqueue_header,
                       unsigned char ret_problem[PROBLEM_SIZE],
                       int64_t *ret_destination);

#endif

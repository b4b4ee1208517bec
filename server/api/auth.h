/*
 * Who speaks: the login that most routes need.
 */
#ifndef XQUEUE_API_AUTH_H
#define XQUEUE_API_AUTH_H

#include "server/api/request.h"

/*
 * A step: find the session of the request's cookie, then run the route's
 * endpoint. Without a live session, redirect to the login page (R1, R3).
 */
enum step auth_require_login(struct task *task) MUST_CHECK;

/* The id of the session in the request's cookie; false without one. */
bool auth_read_cookie(struct task *task,
                      unsigned char ret_id[SHA256_SIZE]) MUST_CHECK;

#endif

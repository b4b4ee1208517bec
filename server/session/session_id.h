/*
 * Session cookies: 32 random bytes in base64url without padding. The
 * database and the cache know a session by the SHA-256 of that value only,
 * so that neither can be used to log in. Any thread.
 */
#ifndef XQUEUE_SESSION_SESSION_ID_H
#define XQUEUE_SESSION_SESSION_ID_H

#include "server/base/compiler.h"
#include "server/base/crypto.h"

enum { SESSION_COOKIE_SIZE = 43 };

/* A new cookie value, NUL-terminated, and its id. */
void session_id_make(char ret_cookie[SESSION_COOKIE_SIZE + 1],
                     unsigned char ret_id[SHA256_SIZE]);

/* The id of a cookie value; false when no session can have that value. */
bool session_id_parse(struct text cookie,
                      unsigned char ret_id[SHA256_SIZE]) MUST_CHECK;

#endif

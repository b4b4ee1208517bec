/*
 * Which (user, password) pairs have been verified lately, so that a client
 * that logs in for every request costs one hash an hour. Neither the
 * password nor anything that could be tried against it without this
 * process's random key is kept. With a pair goes a digest of the stored hash
 * that it was verified against, as sessions keep it: the pair counts only while
 * the user still has that one, which the database says. Loop thread.
 */
#ifndef XQUEUE_SESSION_VERIFIED_PASSWORDS_H
#define XQUEUE_SESSION_VERIFIED_PASSWORDS_H

#include "server/base/text.h"

enum {
    VERIFIED_PASSWORDS_MAX = 4096,
    VERIFIED_PASSWORDS_MS = 3600 * 1000, /* how long one is remembered */
};

struct verified_passwords;

struct verified_passwords *verified_passwords_new(void);
void verified_passwords_free(struct verified_passwords *verified);

/* `now_ms` is clock_monotonic_ms(). Texts over 4096 bytes are not kept. */
void verified_passwords_remember(struct verified_passwords *verified,
                                 struct text username, struct text password,
                                 struct text stored, int64_t now_ms);

/*
 * What the pair was verified against; NULL when it was not, or not lately.
 * SESSION_PASSWORD_SIZE bytes (see db/session.h), valid until the next call.
 */
const unsigned char *
verified_passwords_find(struct verified_passwords *verified,
                        struct text username, struct text password,
                        int64_t now_ms);

void verified_passwords_forget_all(struct verified_passwords *verified);

#endif

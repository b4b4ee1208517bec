/*
 * Slows down guessing: after five wrong passwords in a row for one name, each
 * further attempt has to come some time after the last wrong one: 1 s, then
 * 2, 4, 8, 16, and 30 s at most. Nobody is ever locked out: whoever waits may
 * try, a right password ends it, and an hour without a wrong one too.
 *
 * Names of users and of nobody are treated alike. The memory is bounded: of
 * very many names those that failed longest ago are forgiven. Loop thread.
 */
#ifndef XQUEUE_SESSION_LOGIN_THROTTLE_H
#define XQUEUE_SESSION_LOGIN_THROTTLE_H

#include "server/base/text.h"

enum {
    LOGIN_THROTTLE_NAMES = 16384,
    LOGIN_THROTTLE_FREE = 5, /* wrong ones in a row that cost nothing */
    LOGIN_THROTTLE_MAX_MS = 30 * 1000,
    LOGIN_THROTTLE_FORGET_MS = 3600 * 1000,
};

struct login_throttle;

struct login_throttle *login_throttle_new(void);
void login_throttle_free(struct login_throttle *throttle);

/*
 * How long the attempt that has just arrived must wait before its password is
 * looked at. Not to be asked when the password is known to be right (see
 * verified_passwords.h): somebody else's guessing must not slow down the LMS.
 * `now_ms` is clock_monotonic_ms().
 */
int64_t login_throttle_delay_ms(struct login_throttle *throttle,
                                struct text name, int64_t now_ms);

void login_throttle_failed(struct login_throttle *throttle, struct text name,
                           int64_t now_ms);
void login_throttle_succeeded(struct login_throttle *throttle,
                              struct text name);

#endif

/*
 * Password hashes as Django keeps them in auth_user.password:
 * "pbkdf2_sha256$iterations$salt$base64". Any thread, but verifying and
 * making are slow on purpose: never on the loop thread.
 */
#ifndef XQUEUE_BASE_PASSWORD_H
#define XQUEUE_BASE_PASSWORD_H

#include "server/base/compiler.h"
#include "server/base/crypto.h"
#include "server/base/text.h"

enum {
    PASSWORD_ITERATIONS = 1000000,     /* Django 5.2's default */
    PASSWORD_MAX_ITERATIONS = 5000000, /* so that a row cannot stall us */
    PASSWORD_MAX_SIZE = 4096,          /* bytes; longer ones are refused */
    PASSWORD_HASH_SIZE = 129,          /* the column's width and a NUL */
};

struct password_hash {
    int iterations;
    struct text salt; /* borrows from the parsed text */
    unsigned char key[SHA256_SIZE];
};

/*
 * False for an unusable password ("!..."), another algorithm, and whatever
 * is broken or asks for more than PASSWORD_MAX_ITERATIONS.
 */
bool password_parse(struct text stored,
                    struct password_hash *ret_hash) MUST_CHECK;

/*
 * Is `password` the one `stored` was made from? A refusal costs at least
 * `least_iterations`, whatever its reason (`stored` broken, or absent because
 * there is no such user), so that time does not tell the reason. Only a
 * password over PASSWORD_MAX_SIZE is refused at once.
 */
bool password_verify(struct text password, struct text stored,
                     int least_iterations) MUST_CHECK;

/*
 * A new hash with a random salt, NUL-terminated. False when the password is
 * too long. `iterations` must be in 1..PASSWORD_MAX_ITERATIONS.
 */
bool password_make(struct text password, int iterations,
                   char ret_hash[PASSWORD_HASH_SIZE]) MUST_CHECK;

#endif

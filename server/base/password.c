/*
 * Password hashes as Django keeps them.
 */
#include "server/base/password.h"

#include "server/base/memory.h"

#include <stdio.h>
#include <string.h>

static const char algorithm[] = "pbkdf2_sha256$";

enum { SALT_SIZE = 22, KEY_BASE64_SIZE = 44 };

static bool take_field(struct text *rest, struct text *ret_field);
static void make_salt(char ret_salt[SALT_SIZE + 1]);
static void work_for_nothing(struct text password, int iterations);

bool password_parse(struct text stored, struct password_hash *ret_hash)
{
    struct password_hash hash;
    struct text iterations;
    int64_t number;
    size_t size;

    if (!text_starts_with(stored, algorithm))
        return false;
    stored.data += strlen(algorithm);
    stored.size -= strlen(algorithm);
    if (!take_field(&stored, &iterations) || !take_field(&stored, &hash.salt))
        return false;
    if (!text_to_integer(iterations, &number))
        return false;
    if (number < 1 || number > PASSWORD_MAX_ITERATIONS)
        return false;
    if (stored.size != KEY_BASE64_SIZE ||
        !crypto_base64_decode(stored, hash.key, sizeof hash.key, &size) ||
        size != sizeof hash.key)
        return false;
    hash.iterations = (int)number;
    *ret_hash = hash;
    return true;
}

bool password_verify(struct text password, struct text stored,
                     int least_iterations)
{
    struct password_hash hash;
    unsigned char key[SHA256_SIZE];
    bool equal;

    if (text_is_absent(password) || password.size > PASSWORD_MAX_SIZE)
        return false;
    if (!password_parse(stored, &hash)) {
        work_for_nothing(password, least_iterations);
        return false;
    }
    crypto_pbkdf2_sha256(password, hash.salt, hash.iterations, key);
    equal = crypto_equal((struct text){(char *)key, sizeof key},
                         (struct text){(char *)hash.key, sizeof hash.key});
    crypto_wipe(key, sizeof key);
    if (!equal)
        work_for_nothing(password, least_iterations - hash.iterations);
    return equal;
}

bool password_make(struct text password, int iterations,
                   char ret_hash[PASSWORD_HASH_SIZE])
{
    char salt[SALT_SIZE + 1];
    unsigned char key[SHA256_SIZE];
    char base64[KEY_BASE64_SIZE + 1];

    if (iterations < 1 || iterations > PASSWORD_MAX_ITERATIONS)
        fatal("%d iterations for a password", iterations);
    if (text_is_absent(password) || password.size > PASSWORD_MAX_SIZE)
        return false;
    make_salt(salt);
    crypto_pbkdf2_sha256(password, text_of(salt), iterations, key);
    crypto_base64(key, sizeof key, base64);
    crypto_wipe(key, sizeof key);
    snprintf(ret_hash, PASSWORD_HASH_SIZE, "%s%d$%s$%s", algorithm, iterations,
             salt, base64);
    return true;
}

/* What a check costs that cannot succeed. */
static void work_for_nothing(struct text password, int iterations)
{
    unsigned char key[SHA256_SIZE];

    if (iterations < 1)
        return;
    crypto_pbkdf2_sha256(password, text_of("not the salt of anybody"),
                         iterations, key);
    crypto_wipe(key, sizeof key);
}

/* What stands before the next '$', which is skipped; never empty. */
static bool take_field(struct text *rest, struct text *ret_field)
{
    const char *end = memchr(rest->data, '$', rest->size);
    size_t size;

    if (end == NULL || end == rest->data)
        return false;
    size = (size_t)(end - rest->data);
    *ret_field = (struct text){rest->data, size};
    rest->data += size + 1;
    rest->size -= size + 1;
    return true;
}

static void make_salt(char ret_salt[SALT_SIZE + 1])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned limit = 256 - 256 % 62; /* above it letters were uneven */
    size_t size = 0;

    while (size < SALT_SIZE) {
        unsigned char byte;

        crypto_random(&byte, 1);
        if (byte < limit)
            ret_salt[size++] = letters[byte % 62];
    }
    ret_salt[size] = '\0';
}

/*
 * The few things we want from libcrypto: digests, random bytes, comparison
 * that does not tell where two secrets differ. Any thread.
 */
#ifndef XQUEUE_BASE_CRYPTO_H
#define XQUEUE_BASE_CRYPTO_H

#include "server/base/compiler.h"
#include "server/base/text.h"

enum {
    SHA256_SIZE = 32,
    SHA256_HEX_SIZE = 2 * SHA256_SIZE + 1,
    MD5_SIZE = 16,
    MD5_HEX_SIZE = 2 * MD5_SIZE + 1
};

void crypto_sha256(struct text data, unsigned char ret_digest[SHA256_SIZE]);

void crypto_hmac_sha256(struct text key, struct text data,
                        unsigned char ret_digest[SHA256_SIZE]);

/* The same in lower-case hexadecimal. */
void crypto_sha256_hex(struct text data, char ret_hex[SHA256_HEX_SIZE]);
void crypto_hmac_sha256_hex(struct text key, struct text data,
                            char ret_hex[SHA256_HEX_SIZE]);

/* For names that others have made in this way before us; keeps no secret. */
void crypto_md5_hex(struct text data, char ret_hex[MD5_HEX_SIZE]);

/*
 * PBKDF2 with SHA-256. `iterations` must be at least 1. Slow on purpose
 * (about 0.2 s for a million iterations): never on the loop thread.
 */
void crypto_pbkdf2_sha256(struct text password, struct text salt,
                          int iterations, unsigned char ret_key[SHA256_SIZE]);

/* From the system's generator; cannot fail. */
void crypto_random(void *ret_bytes, size_t size);

/* Lower-case hexadecimal; `ret_hex` takes 2 * size + 1 bytes. */
void crypto_hex(const void *bytes, size_t size, char *ret_hex);

/* In time that depends on the sizes only. Absent texts are never equal. */
bool crypto_equal(struct text left, struct text right);

/* Overwrite a secret that is no longer needed. */
void crypto_wipe(void *secret, size_t size);

/* Standard base64 with padding. `ret_text` takes 4 * ((size + 2) / 3) + 1. */
void crypto_base64(const void *bytes, size_t size, char *ret_text);

/*
 * Decode a text of one line into at most `limit` bytes; false when it is not
 * base64, does not fit, or would be more than 1024 bytes. Bodies of mail, in
 * lines and of any length, are server/http/base64.h's.
 */
bool crypto_base64_decode(struct text text, unsigned char *ret_bytes,
                          size_t limit, size_t *ret_size) MUST_CHECK;

#endif

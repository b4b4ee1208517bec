/*
 * The few things we want from libcrypto.
 */
#include "server/base/crypto.h"

#include "server/base/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

enum { MAX_DECODED = 1024 };

void crypto_sha256(struct text data, unsigned char ret_digest[SHA256_SIZE])
{
    if (EVP_Digest(data.data, data.size, ret_digest, NULL, EVP_sha256(),
                   NULL) != 1)
        fatal("SHA-256 failed");
}

void crypto_hmac_sha256(struct text key, struct text data,
                        unsigned char ret_digest[SHA256_SIZE])
{
    if (HMAC(EVP_sha256(), key.data, (int)key.size,
             (const unsigned char *)data.data, data.size, ret_digest,
             NULL) == NULL)
        fatal("HMAC failed");
}

void crypto_sha256_hex(struct text data, char ret_hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_SIZE];

    crypto_sha256(data, digest);
    crypto_hex(digest, sizeof digest, ret_hex);
}

void crypto_hmac_sha256_hex(struct text key, struct text data,
                            char ret_hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_SIZE];

    crypto_hmac_sha256(key, data, digest);
    crypto_hex(digest, sizeof digest, ret_hex);
}

void crypto_md5_hex(struct text data, char ret_hex[MD5_HEX_SIZE])
{
    unsigned char digest[MD5_SIZE];

    if (EVP_Digest(data.data, data.size, digest, NULL, EVP_md5(), NULL) != 1)
        fatal("MD5 failed");
    crypto_hex(digest, sizeof digest, ret_hex);
}

void crypto_pbkdf2_sha256(struct text password, struct text salt,
                          int iterations, unsigned char ret_key[SHA256_SIZE])
{
    if (PKCS5_PBKDF2_HMAC(password.data, (int)password.size,
                          (const unsigned char *)salt.data, (int)salt.size,
                          iterations, EVP_sha256(), SHA256_SIZE, ret_key) != 1)
        fatal("PBKDF2 failed");
}

void crypto_random(void *ret_bytes, size_t size)
{
    if (RAND_bytes(ret_bytes, (int)size) != 1)
        fatal("no random bytes");
}

void crypto_hex(const void *bytes, size_t size, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;

    for (size_t i = 0; i < size; i++) {
        ret_hex[2 * i] = digits[in[i] >> 4];
        ret_hex[2 * i + 1] = digits[in[i] & 15];
    }
    ret_hex[2 * size] = '\0';
}

bool crypto_equal(struct text left, struct text right)
{
    return !text_is_absent(left) && !text_is_absent(right) &&
           left.size == right.size &&
           CRYPTO_memcmp(left.data, right.data, left.size) == 0;
}

void crypto_wipe(void *secret, size_t size)
{
    OPENSSL_cleanse(secret, size);
}

void crypto_base64(const void *bytes, size_t size, char *ret_text)
{
    EVP_EncodeBlock((unsigned char *)ret_text, bytes, (int)size);
}

bool crypto_base64_decode(struct text text, unsigned char *ret_bytes,
                          size_t limit, size_t *ret_size)
{
    /* Of its own: EVP_DecodeBlock() also writes what the padding stands for. */
    unsigned char decoded[MAX_DECODED];
    size_t padding = 0;
    int size;

    if (text.size == 0 || text.size % 4 != 0 ||
        text.size / 4 * 3 > sizeof decoded)
        return false;
    while (padding < 2 && text.data[text.size - 1 - padding] == '=')
        padding++;
    size = EVP_DecodeBlock(decoded, (const unsigned char *)text.data,
                           (int)text.size);
    if (size < 0 || (size_t)size - padding > limit)
        return false;
    memcpy(ret_bytes, decoded, (size_t)size - padding);
    *ret_size = (size_t)size - padding;
    return true;
}

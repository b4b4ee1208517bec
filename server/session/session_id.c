/*
 * Session cookies.
 */
#include "server/session/session_id.h"

#include <string.h>

enum { RANDOM_SIZE = 32 };

static bool is_base64url(char character);

void session_id_make(char ret_cookie[SESSION_COOKIE_SIZE + 1],
                     unsigned char ret_id[SHA256_SIZE])
{
    unsigned char bytes[RANDOM_SIZE];
    char base64[SESSION_COOKIE_SIZE + 2]; /* one '=' more */

    crypto_random(bytes, sizeof bytes);
    crypto_base64(bytes, sizeof bytes, base64);
    for (size_t i = 0; i < SESSION_COOKIE_SIZE; i++) {
        if (base64[i] == '+')
            base64[i] = '-';
        else if (base64[i] == '/')
            base64[i] = '_';
    }
    memcpy(ret_cookie, base64, SESSION_COOKIE_SIZE);
    ret_cookie[SESSION_COOKIE_SIZE] = '\0';
    crypto_sha256((struct text){ret_cookie, SESSION_COOKIE_SIZE}, ret_id);
}

bool session_id_parse(struct text cookie, unsigned char ret_id[SHA256_SIZE])
{
    if (text_is_absent(cookie) || cookie.size != SESSION_COOKIE_SIZE)
        return false;
    for (size_t i = 0; i < cookie.size; i++) {
        if (!is_base64url(cookie.data[i]))
            return false;
    }
    crypto_sha256(cookie, ret_id);
    return true;
}

static bool is_base64url(char character)
{
    return (character >= 'A' && character <= 'Z') ||
           (character >= 'a' && character <= 'z') ||
           (character >= '0' && character <= '9') || character == '-' ||
           character == '_';
}

/*
 * Which (user, password) pairs have been verified lately.
 */
#include "server/session/verified_passwords.h"

#include "db/session.h"
#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "server/base/password.h"
#include "server/session/digest_map.h"

#include <stdlib.h>
#include <string.h>

struct verified_passwords {
    unsigned char key[SHA256_SIZE]; /* random, of this process */
    struct digest_map *map;
};

struct verified {
    int64_t until_ms;
    unsigned char stored[SESSION_PASSWORD_SIZE];
};

static bool digest_pair(const struct verified_passwords *verified,
                        const struct text parts[2],
                        unsigned char ret_digest[SHA256_SIZE]);

struct verified_passwords *verified_passwords_new(void)
{
    struct verified_passwords *verified = xcalloc(1, sizeof *verified);

    crypto_random(verified->key, sizeof verified->key);
    verified->map =
        digest_map_new(VERIFIED_PASSWORDS_MAX, sizeof(struct verified), NULL);
    return verified;
}

void verified_passwords_free(struct verified_passwords *verified)
{
    if (verified == NULL)
        return;
    digest_map_free(verified->map);
    crypto_wipe(verified->key, sizeof verified->key);
    free(verified);
}

void verified_passwords_remember(struct verified_passwords *verified,
                                 struct text username, struct text password,
                                 struct text stored, int64_t now_ms)
{
    const struct text parts[] = {username, password};
    unsigned char digest[SHA256_SIZE];
    struct verified *entry;

    if (!digest_pair(verified, parts, digest))
        return;
    entry = digest_map_put(verified->map, digest);
    entry->until_ms = now_ms + VERIFIED_PASSWORDS_MS;
    session_password_of(stored, entry->stored);
}

const unsigned char *
verified_passwords_find(struct verified_passwords *verified,
                        struct text username, struct text password,
                        int64_t now_ms)
{
    const struct text parts[] = {username, password};
    unsigned char digest[SHA256_SIZE];
    const struct verified *entry;

    if (!digest_pair(verified, parts, digest))
        return NULL;
    entry = digest_map_find(verified->map, digest);
    if (entry == NULL)
        return NULL;
    if (now_ms < entry->until_ms)
        return entry->stored;
    digest_map_remove(verified->map, digest);
    return NULL;
}

void verified_passwords_forget_all(struct verified_passwords *verified)
{
    digest_map_clear(verified->map);
}

/* Each part after its length, so that no two pairs give the same bytes. */
static bool digest_pair(const struct verified_passwords *verified,
                        const struct text parts[2],
                        unsigned char ret_digest[SHA256_SIZE])
{
    const struct text key = {(const char *)verified->key, sizeof verified->key};
    char message[2 * (sizeof(uint32_t) + PASSWORD_MAX_SIZE)];
    size_t size = 0;

    for (size_t i = 0; i < 2; i++) {
        if (text_is_absent(parts[i]) || parts[i].size > PASSWORD_MAX_SIZE)
            return false;
    }
    for (size_t i = 0; i < 2; i++) {
        const uint32_t length = (uint32_t)parts[i].size;

        memcpy(message + size, &length, sizeof length);
        memcpy(message + size + sizeof length, parts[i].data, length);
        size += sizeof length + length;
    }
    crypto_hmac_sha256(key, (struct text){message, size}, ret_digest);
    crypto_wipe(message, size);
    return true;
}

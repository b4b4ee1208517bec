/*
 * Slows down guessing.
 */
#include "server/session/login_throttle.h"

#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "server/session/digest_map.h"

#include <stdlib.h>

struct login_throttle {
    unsigned char key[SHA256_SIZE]; /* so that nobody can aim at a bucket */
    struct digest_map *map;
};

struct failures {
    unsigned count; /* in a row */
    int64_t last_ms;
};

static void digest_name(const struct login_throttle *throttle, struct text name,
                        unsigned char ret_digest[SHA256_SIZE]);
static int64_t pause_ms(unsigned failures);

struct login_throttle *login_throttle_new(void)
{
    struct login_throttle *throttle = xcalloc(1, sizeof *throttle);

    crypto_random(throttle->key, sizeof throttle->key);
    throttle->map =
        digest_map_new(LOGIN_THROTTLE_NAMES, sizeof(struct failures), NULL);
    return throttle;
}

void login_throttle_free(struct login_throttle *throttle)
{
    if (throttle == NULL)
        return;
    digest_map_free(throttle->map);
    free(throttle);
}

int64_t login_throttle_delay_ms(struct login_throttle *throttle,
                                struct text name, int64_t now_ms)
{
    unsigned char digest[SHA256_SIZE];
    const struct failures *failures;
    int64_t allowed_ms;

    digest_name(throttle, name, digest);
    failures = digest_map_find(throttle->map, digest);
    if (failures == NULL)
        return 0;
    allowed_ms = failures->last_ms + pause_ms(failures->count);
    return allowed_ms > now_ms ? allowed_ms - now_ms : 0;
}

void login_throttle_failed(struct login_throttle *throttle, struct text name,
                           int64_t now_ms)
{
    unsigned char digest[SHA256_SIZE];
    struct failures *failures;

    digest_name(throttle, name, digest);
    failures = digest_map_put(throttle->map, digest);
    if (now_ms - failures->last_ms >= LOGIN_THROTTLE_FORGET_MS)
        failures->count = 0;
    if (failures->count < 1000)
        failures->count++;
    failures->last_ms = now_ms;
}

void login_throttle_succeeded(struct login_throttle *throttle, struct text name)
{
    unsigned char digest[SHA256_SIZE];

    digest_name(throttle, name, digest);
    digest_map_remove(throttle->map, digest);
}

static void digest_name(const struct login_throttle *throttle, struct text name,
                        unsigned char ret_digest[SHA256_SIZE])
{
    const struct text key = {(const char *)throttle->key, sizeof throttle->key};

    crypto_hmac_sha256(key, name, ret_digest);
}

static int64_t pause_ms(unsigned failures)
{
    int64_t pause = 1000;

    if (failures < LOGIN_THROTTLE_FREE)
        return 0;
    for (unsigned i = LOGIN_THROTTLE_FREE; i < failures; i++) {
        pause *= 2;
        if (pause > LOGIN_THROTTLE_MAX_MS)
            return LOGIN_THROTTLE_MAX_MS;
    }
    return pause;
}

/*
 * Sessions read from the database lately, so that most requests need not ask
 * it who is speaking.
 *
 * An entry is trusted for a minute, and only while the session epoch (see
 * db/epoch.h) is the one it was read under: a logout or a password change in
 * any process ends all entries as soon as session_cache_set_epoch() hears of
 * it. What the database alone decides (a user switched off by hand) is
 * noticed after the minute. Loop thread.
 */
#ifndef XQUEUE_SESSION_SESSION_CACHE_H
#define XQUEUE_SESSION_SESSION_CACHE_H

#include "server/base/crypto.h"
#include "server/base/text.h"

enum {
    SESSION_CACHE_MAX = 65536,
    SESSION_CACHE_MS = 60 * 1000, /* how long an entry is trusted */
};

struct session_cache;

struct cached_session {
    int64_t user_id;
    struct text username;
};

struct session_cache *session_cache_new(void);
void session_cache_free(struct session_cache *cache);

/*
 * The number that the database holds now. Unless it is the one told before,
 * every entry is forgotten. Until the first call nothing is kept.
 */
void session_cache_set_epoch(struct session_cache *cache, int64_t epoch);

/*
 * Keep a copy for at most `remaining_us`. `epoch` is what was read together
 * with the session; if it is not the cache's own, nothing is kept, because a
 * logout may have come in between. `now_ms` is clock_monotonic_ms().
 */
void session_cache_put(struct session_cache *cache,
                       const unsigned char id[SHA256_SIZE],
                       const struct cached_session *session,
                       int64_t remaining_us, int64_t epoch, int64_t now_ms);

/* NULL when unknown or too old. Valid until the next call. */
const struct cached_session *
session_cache_find(struct session_cache *cache,
                   const unsigned char id[SHA256_SIZE], int64_t now_ms);

void session_cache_remove(struct session_cache *cache,
                          const unsigned char id[SHA256_SIZE]);
void session_cache_clear(struct session_cache *cache);

#endif

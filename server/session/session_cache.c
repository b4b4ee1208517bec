/*
 * Sessions read from the database lately.
 */
#include "server/session/session_cache.h"

#include "server/base/memory.h"
#include "server/session/digest_map.h"

#include <stdlib.h>
#include <string.h>

struct session_cache {
    struct digest_map *map;
    bool has_epoch;
    int64_t epoch;
    uint64_t generation; /* grows with every change of the epoch */
};

struct entry {
    struct cached_session session;
    char *username; /* owns; what session.username shows */
    int64_t until_ms;
    uint64_t generation; /* of the cache when it was put */
};

static void release_entry(void *value);

struct session_cache *session_cache_new(void)
{
    struct session_cache *cache = xcalloc(1, sizeof *cache);

    cache->map =
        digest_map_new(SESSION_CACHE_MAX, sizeof(struct entry), release_entry);
    return cache;
}

void session_cache_free(struct session_cache *cache)
{
    if (cache == NULL)
        return;
    digest_map_free(cache->map);
    free(cache);
}

/* Entries of older generations go when they are met or their turn comes. */
void session_cache_set_epoch(struct session_cache *cache, int64_t epoch)
{
    if (cache->has_epoch && cache->epoch == epoch)
        return;
    cache->has_epoch = true;
    cache->epoch = epoch;
    cache->generation++;
}

void session_cache_put(struct session_cache *cache,
                       const unsigned char id[SHA256_SIZE],
                       const struct cached_session *session,
                       int64_t remaining_us, int64_t epoch, int64_t now_ms)
{
    const int64_t remaining_ms = remaining_us / 1000;
    const struct text name = session->username;
    struct entry *entry;

    if (!cache->has_epoch || cache->epoch != epoch || remaining_ms <= 0)
        return;
    entry = digest_map_put(cache->map, id);
    free(entry->username);
    entry->username = xmalloc(name.size);
    if (name.size > 0)
        memcpy(entry->username, name.data, name.size);
    entry->session.user_id = session->user_id;
    entry->session.username = (struct text){entry->username, name.size};
    entry->until_ms =
        now_ms +
        (remaining_ms < SESSION_CACHE_MS ? remaining_ms : SESSION_CACHE_MS);
    entry->generation = cache->generation;
}

const struct cached_session *
session_cache_find(struct session_cache *cache,
                   const unsigned char id[SHA256_SIZE], int64_t now_ms)
{
    const struct entry *entry = digest_map_find(cache->map, id);

    if (entry == NULL)
        return NULL;
    if (entry->generation == cache->generation && now_ms < entry->until_ms)
        return &entry->session;
    digest_map_remove(cache->map, id);
    return NULL;
}

void session_cache_remove(struct session_cache *cache,
                          const unsigned char id[SHA256_SIZE])
{
    digest_map_remove(cache->map, id);
}

void session_cache_clear(struct session_cache *cache)
{
    digest_map_clear(cache->map);
}

static void release_entry(void *value)
{
    struct entry *entry = value;

    free(entry->username);
}

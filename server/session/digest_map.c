/*
 * A bounded memory with digests for keys: chains in a table of buckets, and
 * one list of all slots from the last used to the longest unused.
 */
#include "server/session/digest_map.h"

#include "server/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct slot {
    LIST_ENTRY(slot) chain;   /* of its bucket, while in use */
    TAILQ_ENTRY(slot) by_use; /* in `used` or `unused` */
    unsigned char key[SHA256_SIZE];
    max_align_t value[]; /* value_size bytes */
};

LIST_HEAD(bucket, slot);
TAILQ_HEAD(slot_list, slot);

struct digest_map {
    size_t value_size;
    void (*release)(void *value);
    size_t bucket_mask; /* their number less one; a power of two */
    struct bucket *buckets;
    char *memory; /* of all slots; its pages become real when touched */
    size_t slot_size;
    size_t capacity;
    size_t touched;        /* slots that have been in use at some time */
    size_t count;          /* slots in use */
    struct slot_list used; /* the last used one first */
    struct slot_list unused;
};

static struct bucket *bucket_of(struct digest_map *map,
                                const unsigned char *key);
static struct slot *find_slot(struct digest_map *map, const unsigned char *key);
static struct slot *take_slot(struct digest_map *map);
static void remove_slot(struct digest_map *map, struct slot *slot);

struct digest_map *digest_map_new(size_t capacity, size_t value_size,
                                  void (*release)(void *value))
{
    const size_t unit = sizeof(max_align_t);
    struct digest_map *map = xcalloc(1, sizeof *map);
    size_t buckets = 1;

    while (buckets < capacity)
        buckets *= 2;
    map->value_size = value_size;
    map->release = release;
    map->bucket_mask = buckets - 1;
    map->buckets = xcalloc(buckets, sizeof *map->buckets);
    map->capacity = capacity;
    map->slot_size =
        (sizeof(struct slot) + value_size + unit - 1) / unit * unit;
    map->memory = xcalloc(capacity, map->slot_size);
    TAILQ_INIT(&map->used);
    TAILQ_INIT(&map->unused);
    return map;
}

void digest_map_free(struct digest_map *map)
{
    if (map == NULL)
        return;
    digest_map_clear(map);
    free(map->memory);
    free(map->buckets);
    free(map);
}

void *digest_map_find(struct digest_map *map,
                      const unsigned char key[SHA256_SIZE])
{
    struct slot *slot = find_slot(map, key);

    if (slot == NULL)
        return NULL;
    TAILQ_REMOVE(&map->used, slot, by_use);
    TAILQ_INSERT_HEAD(&map->used, slot, by_use);
    return slot->value;
}

void *digest_map_put(struct digest_map *map,
                     const unsigned char key[SHA256_SIZE])
{
    void *value = digest_map_find(map, key);
    struct slot *slot;

    if (value != NULL)
        return value;
    slot = take_slot(map);
    TAILQ_INSERT_HEAD(&map->used, slot, by_use);
    LIST_INSERT_HEAD(bucket_of(map, key), slot, chain);
    memcpy(slot->key, key, SHA256_SIZE);
    memset(slot->value, 0, map->value_size);
    map->count++;
    return slot->value;
}

void digest_map_remove(struct digest_map *map,
                       const unsigned char key[SHA256_SIZE])
{
    struct slot *slot = find_slot(map, key);

    if (slot != NULL)
        remove_slot(map, slot);
}

void digest_map_clear(struct digest_map *map)
{
    while (!TAILQ_EMPTY(&map->used))
        remove_slot(map, TAILQ_FIRST(&map->used));
}

size_t digest_map_count(const struct digest_map *map)
{
    return map->count;
}

static struct bucket *bucket_of(struct digest_map *map,
                                const unsigned char *key)
{
    uint64_t number;

    memcpy(&number, key, sizeof number);
    return &map->buckets[number & map->bucket_mask];
}

static struct slot *find_slot(struct digest_map *map, const unsigned char *key)
{
    struct slot *slot;

    LIST_FOREACH(slot, bucket_of(map, key), chain)
    {
        if (memcmp(slot->key, key, SHA256_SIZE) == 0)
            return slot;
    }
    return NULL;
}

/* One that is in no list: the longest unused one's, when all are taken. */
static struct slot *take_slot(struct digest_map *map)
{
    struct slot *slot;

    if (TAILQ_EMPTY(&map->unused) && map->touched < map->capacity)
        return (void *)(map->memory + map->touched++ * map->slot_size);
    if (TAILQ_EMPTY(&map->unused))
        remove_slot(map, TAILQ_LAST(&map->used, slot_list));
    slot = TAILQ_FIRST(&map->unused);
    TAILQ_REMOVE(&map->unused, slot, by_use);
    return slot;
}

static void remove_slot(struct digest_map *map, struct slot *slot)
{
    if (map->release != NULL)
        map->release(slot->value);
    LIST_REMOVE(slot, chain);
    TAILQ_REMOVE(&map->used, slot, by_use);
    TAILQ_INSERT_HEAD(&map->unused, slot, by_use);
    map->count--;
}

/*
 * A bounded memory: values kept under 32-byte digests; when it is full the
 * value that was used longest ago goes. Keys must be digests (of something
 * secret or unguessable where peers choose it), because their first bytes
 * choose the place. One thread.
 */
#ifndef XQUEUE_SESSION_DIGEST_MAP_H
#define XQUEUE_SESSION_DIGEST_MAP_H

#include "server/base/compiler.h"
#include "server/base/crypto.h"

#include <stdbool.h>
#include <stddef.h>

struct digest_map;

/*
 * Values are `value_size` bytes each, cleared at first. `release` is called
 * on a value before it goes; it may be NULL. All memory is taken here.
 */
struct digest_map *digest_map_new(size_t capacity, size_t value_size,
                                  void (*release)(void *value));
void digest_map_free(struct digest_map *map);

/* The value, which counts as used now; NULL when there is none. */
void *digest_map_find(struct digest_map *map,
                      const unsigned char key[SHA256_SIZE]);

/* The value, a new one if there was none. Valid until it is removed. */
void *digest_map_put(struct digest_map *map,
                     const unsigned char key[SHA256_SIZE]);

void digest_map_remove(struct digest_map *map,
                       const unsigned char key[SHA256_SIZE]);
void digest_map_clear(struct digest_map *map);
size_t digest_map_count(const struct digest_map *map);

#endif

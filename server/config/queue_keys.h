/*
 * What the map of a queue in XQUEUES may say beside its `url`.
 */
#ifndef XQUEUE_CONFIG_QUEUE_KEYS_H
#define XQUEUE_CONFIG_QUEUE_KEYS_H

#include "server/config/setting.h"

struct queue_key {
    const char *name;
    const char *like;          /* the setting that takes the same, or NULL: */
    const struct setting *own; /* one that there is only here */
    size_t offset;             /* in struct config_queue */
    bool only_pushed;          /* not for a queue without a url */
};

/* In the order in which people read them. */
const struct queue_key *queue_keys(size_t *ret_count);

/* NULL when there is none. */
const struct queue_key *queue_keys_find(struct text name);

/* As a setting whose offset is one in struct config_queue. */
struct setting queue_key_setting(const struct queue_key *key);

/* "one of url, concurrency, ...": for messages. */
void queue_keys_describe(struct buffer *out);

/* A queue of which nothing is said. */
void queue_keys_inherit(const struct config *config,
                        struct config_queue *ret_queue);

#endif

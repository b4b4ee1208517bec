/*
 * Which files there are, in few bytes: 16 of each queue and key (a part of
 * their SHA-256), and room for as many again. Add all, then ask. One thread.
 */
#ifndef XQUEUE_CLI_KEY_SET_H
#define XQUEUE_CLI_KEY_SET_H

#include "server/storage/storage.h"

enum { KEY_SET_MARK_SIZE = 16 };

/* Zero-initialise it. */
struct key_set {
    unsigned char (*marks)[KEY_SET_MARK_SIZE]; /* owns */
    size_t count;
    size_t capacity;
};

void key_set_add(struct key_set *set, const struct storage_file *file);

/* Nothing may be added afterwards. */
void key_set_seal(struct key_set *set);
bool key_set_has(const struct key_set *set, const struct storage_file *file);

void key_set_free(struct key_set *set);

#endif

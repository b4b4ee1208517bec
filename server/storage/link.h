/*
 * Links to local files: signed, so that whoever was given one may fetch that
 * one file for a while (R42). Any thread.
 *
 *   https://xqueue.example.org/media/QUEUE/KEY?expires=TIME&signature=HEX
 *
 * A signature is good as long as the secret stays the same, in every process
 * that has it.
 */
#ifndef XQUEUE_STORAGE_LINK_H
#define XQUEUE_STORAGE_LINK_H

#include "server/storage/storage.h"

struct links;

/* Copies what it needs. */
struct links *links_new(const struct storage_settings *settings);
void links_free(struct links *links); /* NULL is legal */

/* See storage_link() and storage_link_check(). */
struct text links_make(const struct links *links, struct arena *arena,
                       struct text queue_name, const char *key,
                       struct text base, int64_t now_s);
enum storage_link_state links_check(const struct links *links,
                                    struct text queue_name, struct text key,
                                    struct text query, int64_t now_s);

#endif

/*
 * Which files there are: a sorted array.
 */
#include "server/cli/key_set.h"

#include "server/base/buffer.h"
#include "server/base/crypto.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST = 1024 };

static void mark_of(const struct storage_file *file,
                    unsigned char ret_mark[KEY_SET_MARK_SIZE]);
static int compare(const void *left, const void *right);

void key_set_add(struct key_set *set, const struct storage_file *file)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? FEWEST : 2 * set->capacity;
        set->marks = xrealloc(set->marks, set->capacity * sizeof *set->marks);
    }
    mark_of(file, set->marks[set->count++]);
}

void key_set_seal(struct key_set *set)
{
    if (set->count > 0)
        qsort(set->marks, set->count, sizeof *set->marks, compare);
}

bool key_set_has(const struct key_set *set, const struct storage_file *file)
{
    unsigned char mark[KEY_SET_MARK_SIZE];

    mark_of(file, mark);
    return set->count > 0 && bsearch(mark, set->marks, set->count,
                                     sizeof *set->marks, compare) != NULL;
}

void key_set_free(struct key_set *set)
{
    free(set->marks);
    *set = (struct key_set){NULL, 0, 0};
}

/* The key comes first: it has one size. */
static void mark_of(const struct storage_file *file,
                    unsigned char ret_mark[KEY_SET_MARK_SIZE])
{
    unsigned char digest[SHA256_SIZE];
    struct buffer both = {NULL, 0, 0};

    buffer_append(&both, file->key, FILE_KEY_SIZE);
    buffer_append_text(&both, file->queue_name);
    crypto_sha256(buffer_text(&both), digest);
    memcpy(ret_mark, digest, KEY_SET_MARK_SIZE);
    buffer_free(&both);
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, KEY_SET_MARK_SIZE);
}

/*
 * The parts of a request in the one way of writing them that is signed. All
 * results are in the arena. Internal to server/storage/.
 */
#ifndef XQUEUE_STORAGE_SIGV4_CANONICAL_H
#define XQUEUE_STORAGE_SIGV4_CANONICAL_H

#include "server/storage/sigv4.h"

struct sigv4_pairs {
    struct sigv4_pair *list;
    size_t count;
};

struct canonical_headers {
    const char *lines; /* "name:value\n" for each, in the order of the names */
    const char *names; /* "host;x-amz-date" */
};

/* Everything as %XX but letters, digits, "-._~" and '/'. */
const char *canonical_path(struct text path, struct arena *arena);

/* "name=value&name=value", in the order of the encoded names, then values. */
const char *canonical_query(const struct sigv4_pairs *query,
                            struct arena *arena);

/* Names in lower case, values with single blanks only; puts them in order. */
struct canonical_headers canonical_headers(struct sigv4_pairs *headers,
                                           struct arena *arena);

#endif

/*
 * Where in S3, or in a server that speaks like it, an object is: host and
 * path for a bucket and a key. Pure; any thread.
 */
#ifndef XQUEUE_STORAGE_S3_ADDRESS_H
#define XQUEUE_STORAGE_S3_ADDRESS_H

#include "server/base/arena.h"

enum s3_addressing {
    /* The bucket in the host's name where a name can hold it, else a path. */
    S3_ADDRESSING_AUTO,
    S3_ADDRESSING_VIRTUAL, /* https://bucket.host/key */
    S3_ADDRESSING_PATH     /* https://host/bucket/key */
};

struct s3_bucket {
    const char *endpoint; /* "http://127.0.0.1:9000"; NULL: Amazon's own */
    const char *region;   /* only to find Amazon's own */
    const char *name;
    const char *prefix; /* before every key, with or without slashes around
                           it; "" or NULL: none */
    enum s3_addressing addressing;
};

struct s3_address {
    struct text origin; /* "https://host", "http://host:9000" */
    struct text host;   /* as the Host header has it */
    struct text path;   /* begins with '/'; not encoded */
};

/*
 * Of the object `key`; of the bucket itself when `key` is absent. False when
 * the endpoint is no http or https URL of a host, a port and a plain path, or
 * the bucket has no name or one with a '/'.
 */
bool s3_address_of(const struct s3_bucket *bucket, struct text key,
                   struct arena *arena,
                   struct s3_address *ret_address) MUST_CHECK;

/*
 * What a key is called in the bucket: with the prefix, and a '/' between. An
 * empty key gives what all keys of ours begin with; "" when there is no
 * prefix.
 */
struct text s3_object_name(const struct s3_bucket *bucket, struct text key,
                           struct arena *arena);

#endif

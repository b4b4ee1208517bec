/*
 * Amazon's Signature Version 4, as S3 wants it: the path is percent-encoded
 * once and left as it is otherwise ("//" and ".." stay; let no HTTP client
 * tidy it up). Other services encode twice and are not served.
 *
 * Nothing is remembered between calls, and time and memory grow with the
 * request alone. Any thread.
 */
#ifndef XQUEUE_STORAGE_SIGV4_H
#define XQUEUE_STORAGE_SIGV4_H

#include "server/base/arena.h"
#include "server/base/crypto.h"

#include <stdint.h>

/* The digest of a body that nobody has read: any body is good. */
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

enum {
    SIGV4_DATE_SIZE = sizeof "20130524T000000Z",
    SIGV4_LONGEST_S = 7 * 24 * 3600 /* of a signed link; S3's own limit */
};

struct sigv4_credentials {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* NULL: none */
    const char *region;        /* "eu-west-1" */
    const char *service;       /* "s3" */
};

/* A header or a query parameter, as it is meant: nothing is encoded. */
struct sigv4_pair {
    struct text name;
    struct text value;
};

struct sigv4_request {
    const char *method; /* "GET" */
    struct text host;   /* as the Host header has it: "name" or "name:9000" */
    struct text path;   /* begins with '/'; not encoded */

    const struct sigv4_pair *query; /* in any order */
    size_t query_count;

    /*
     * Headers to sign, each name once, besides host, x-amz-date,
     * x-amz-content-sha256 and x-amz-security-token, which are always signed.
     * Every other x-amz- header that is sent must be here.
     */
    const struct sigv4_pair *headers;
    size_t header_count;

    int64_t time_s; /* unix time, before the year 10000 */
};

/*
 * The headers to send, and the end of the URL. The arena's, but for the
 * digest and the token, which are borrowed from where they came.
 */
struct sigv4_signed {
    char date[SIGV4_DATE_SIZE]; /* x-amz-date */
    const char *content_sha256; /* x-amz-content-sha256 */
    const char *security_token; /* x-amz-security-token; NULL: do not send */
    const char *authorization;  /* Authorization */
    const char *target;         /* path and query, encoded: after the host */
};

/*
 * Sign with headers. `content_sha256` is the body's digest in hexadecimal, see
 * crypto_sha256_hex(), or SIGV4_UNSIGNED_PAYLOAD.
 */
void sigv4_sign(const struct sigv4_credentials *credentials,
                const struct sigv4_request *request, const char *content_sha256,
                struct arena *arena, struct sigv4_signed *ret_signed);

/*
 * Sign in the query: a path and query that anybody may use with this method
 * for `lifetime_s` seconds, held to between 1 and SIGV4_LONGEST_S. A link made
 * with a session token ends with the token, too.
 */
const char *sigv4_presign(const struct sigv4_credentials *credentials,
                          const struct sigv4_request *request,
                          int64_t lifetime_s, struct arena *arena);

#endif

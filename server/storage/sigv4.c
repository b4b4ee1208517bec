/*
 * Amazon's Signature Version 4.
 *
 * Both forms make the same three texts: the request in its canonical writing,
 * a text with that one's digest and the scope of the key, and the signature of
 * the second by a key that is good for one day, region and service. They
 * differ in where date, key and signature travel: in headers or in the query.
 */
#include "server/storage/sigv4.h"

#include "server/base/memory.h"
#include "server/storage/sigv4_canonical.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { DAY_SIZE = sizeof "20130524" - 1, OWN_PAIRS = 6 };

struct signing {
    const struct sigv4_credentials *credentials;
    const struct sigv4_request *request;
    struct arena *arena;
    char date[SIGV4_DATE_SIZE];
    const char *scope;          /* of the key: day, region, service */
    struct sigv4_pairs headers; /* to be signed; room for OWN_PAIRS more */
    struct sigv4_pairs query;   /* likewise */
    struct canonical_headers canonical_headers; /* of `headers`, once made */
    const char *canonical_query;                /* of `query` */
};

static struct signing begin(const struct sigv4_credentials *credentials,
                            const struct sigv4_request *request,
                            struct arena *arena);
static void write_date(int64_t time_s, char ret_date[SIGV4_DATE_SIZE]);
static struct sigv4_pairs copy(struct arena *arena,
                               const struct sigv4_pair *list, size_t count);
static void add(struct sigv4_pairs *pairs, const char *name, const char *value);
static void add_key(struct signing *signing, int64_t lifetime_s);
static const char *target_of(const struct signing *signing);
static const char *signature_of(const struct signing *signing,
                                const char *payload);
static void derive_key(const struct signing *signing,
                       unsigned char ret_key[SHA256_SIZE]);
static void step(unsigned char key[SHA256_SIZE], struct text words);

void sigv4_sign(const struct sigv4_credentials *credentials,
                const struct sigv4_request *request, const char *content_sha256,
                struct arena *arena, struct sigv4_signed *ret_signed)
{
    struct signing signing = begin(credentials, request, arena);
    struct sigv4_signed done = {.content_sha256 = content_sha256};

    add(&signing.headers, "x-amz-content-sha256", content_sha256);
    add(&signing.headers, "x-amz-date", signing.date);
    if (credentials->session_token != NULL) {
        done.security_token = credentials->session_token;
        add(&signing.headers, "x-amz-security-token", done.security_token);
    }
    signing.canonical_headers = canonical_headers(&signing.headers, arena);
    signing.canonical_query = canonical_query(&signing.query, arena);
    memcpy(done.date, signing.date, sizeof done.date);
    done.authorization = arena_printf(
        arena, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
        credentials->access_key, signing.scope, signing.canonical_headers.names,
        signature_of(&signing, content_sha256));
    done.target = target_of(&signing);
    *ret_signed = done;
}

const char *sigv4_presign(const struct sigv4_credentials *credentials,
                          const struct sigv4_request *request,
                          int64_t lifetime_s, struct arena *arena)
{
    struct signing signing = begin(credentials, request, arena);

    signing.canonical_headers = canonical_headers(&signing.headers, arena);
    add_key(&signing, lifetime_s);
    signing.canonical_query = canonical_query(&signing.query, arena);
    return arena_printf(arena, "%s&X-Amz-Signature=%s", target_of(&signing),
                        signature_of(&signing, SIGV4_UNSIGNED_PAYLOAD));
}

static struct signing begin(const struct sigv4_credentials *credentials,
                            const struct sigv4_request *request,
                            struct arena *arena)
{
    struct signing signing = {
        .credentials = credentials,
        .request = request,
        .arena = arena,
        .headers = copy(arena, request->headers, request->header_count),
        .query = copy(arena, request->query, request->query_count),
    };

    write_date(request->time_s, signing.date);
    signing.scope =
        arena_printf(arena, "%.*s/%s/%s/aws4_request", DAY_SIZE, signing.date,
                     credentials->region, credentials->service);
    add(&signing.headers, "host", arena_string(arena, request->host));
    return signing;
}

static void write_date(int64_t time_s, char ret_date[SIGV4_DATE_SIZE])
{
    time_t moment = (time_t)time_s;
    struct tm parts;

    if (gmtime_r(&moment, &parts) == NULL ||
        strftime(ret_date, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &parts) !=
            SIGV4_DATE_SIZE - 1)
        fatal("no date for the time %lld", (long long)time_s);
}

static struct sigv4_pairs copy(struct arena *arena,
                               const struct sigv4_pair *list, size_t count)
{
    struct sigv4_pairs pairs = {
        arena_alloc(arena, (count + OWN_PAIRS) * sizeof *list), count};

    if (count > 0)
        memcpy(pairs.list, list, count * sizeof *list);
    return pairs;
}

static void add(struct sigv4_pairs *pairs, const char *name, const char *value)
{
    pairs->list[pairs->count++] =
        (struct sigv4_pair){text_of(name), text_of(value)};
}

static void add_key(struct signing *signing, int64_t lifetime_s)
{
    const struct sigv4_credentials *credentials = signing->credentials;
    struct sigv4_pairs *query = &signing->query;

    if (lifetime_s < 1)
        lifetime_s = 1;
    if (lifetime_s > SIGV4_LONGEST_S)
        lifetime_s = SIGV4_LONGEST_S;
    add(query, "X-Amz-Algorithm", ALGORITHM);
    add(query, "X-Amz-Credential",
        arena_printf(signing->arena, "%s/%s", credentials->access_key,
                     signing->scope));
    add(query, "X-Amz-Date", signing->date);
    add(query, "X-Amz-Expires",
        arena_printf(signing->arena, "%d", (int)lifetime_s));
    add(query, "X-Amz-SignedHeaders", signing->canonical_headers.names);
    if (credentials->session_token != NULL)
        add(query, "X-Amz-Security-Token", credentials->session_token);
}

static const char *target_of(const struct signing *signing)
{
    const char *path = canonical_path(signing->request->path, signing->arena);

    if (signing->query.count == 0)
        return path;
    return arena_printf(signing->arena, "%s?%s", path,
                        signing->canonical_query);
}

static const char *signature_of(const struct signing *signing,
                                const char *payload)
{
    struct arena *arena = signing->arena;
    const char *canonical =
        arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%s", signing->request->method,
                     canonical_path(signing->request->path, arena),
                     signing->canonical_query, signing->canonical_headers.lines,
                     signing->canonical_headers.names, payload);
    char *signature = arena_alloc(arena, SHA256_HEX_SIZE);
    char digest[SHA256_HEX_SIZE];
    unsigned char key[SHA256_SIZE];

    crypto_sha256_hex(text_of(canonical), digest);
    derive_key(signing, key);
    step(key, text_of(arena_printf(arena, ALGORITHM "\n%s\n%s\n%s",
                                   signing->date, signing->scope, digest)));
    crypto_hex(key, sizeof key, signature);
    return signature;
}

static void derive_key(const struct signing *signing,
                       unsigned char ret_key[SHA256_SIZE])
{
    const struct sigv4_credentials *credentials = signing->credentials;
    char *secret = xasprintf("AWS4%s", credentials->secret_key);

    crypto_hmac_sha256(text_of(secret), (struct text){signing->date, DAY_SIZE},
                       ret_key);
    step(ret_key, text_of(credentials->region));
    step(ret_key, text_of(credentials->service));
    step(ret_key, text_of("aws4_request"));
    crypto_wipe(secret, strlen(secret));
    free(secret);
}

/* The next key is what this one makes of `words`. */
static void step(unsigned char key[SHA256_SIZE], struct text words)
{
    unsigned char next[SHA256_SIZE];

    crypto_hmac_sha256((struct text){(const char *)key, SHA256_SIZE}, words,
                       next);
    memcpy(key, next, sizeof next);
    crypto_wipe(next, sizeof next);
}

/*
 * Links to local files.
 *
 * The secret signs other things, too: what is made with it here has a key of
 * its own. The signed text is "SIZE:QUEUE" and a line each for the file's key
 * and the time; with the size in front no queue's name can look like the rest.
 */
#include "server/storage/link.h"

#include "server/base/buffer.h"
#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"
#include "server/storage/queue_name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PURPOSE "xqueue: link to a file, 1"

struct links {
    char *media_url;
    char *public_url; /* without a '/' at the end; NULL: not known */
    bool are_unsigned;
    int64_t lifetime_s;
    unsigned char key[SHA256_SIZE];
};

/* What the query of a link says. Absent: not there. */
struct link_query {
    struct text expires;
    struct text signature;
};

static struct text without_last_slash(struct text url);
static void sign(const struct links *links, struct text queue_name,
                 struct text key, int64_t expires_s,
                 char ret_signature[SHA256_HEX_SIZE]);
static bool parse_query(struct text query, struct link_query *ret_query);
static void take_parameter(struct text parameter, const char *name,
                           struct text *value, bool *twice);

struct links *links_new(const struct storage_settings *settings)
{
    struct links *links = xcalloc(1, sizeof *links);
    const struct text public_url =
        without_last_slash(text_of(settings->public_url));

    links->media_url = xstrdup(settings->media_url);
    if (!text_is_absent(public_url))
        links->public_url = xasprintf("%.*s", TEXT_ARGUMENTS(public_url));
    links->are_unsigned = settings->unsigned_links;
    links->lifetime_s = settings->link_lifetime_s;
    crypto_hmac_sha256(settings->secret, text_of(PURPOSE), links->key);
    return links;
}

void links_free(struct links *links)
{
    if (links == NULL)
        return;
    crypto_wipe(links->key, sizeof links->key);
    free(links->public_url);
    free(links->media_url);
    free(links);
}

struct text links_make(const struct links *links, struct arena *arena,
                       struct text queue_name, const char *key,
                       struct text base, int64_t now_s)
{
    const struct text queue = queue_in_url(queue_name, arena);
    struct buffer url = {NULL, 0, 0};
    char signature[SHA256_HEX_SIZE];
    struct text link;
    int64_t expires_s;

    if (links->public_url != NULL)
        base = text_of(links->public_url);
    buffer_append_text(&url, without_last_slash(base));
    buffer_append_string(&url, links->media_url);
    buffer_append_text(&url, queue);
    buffer_printf(&url, "/%s", key);
    if (!links->are_unsigned) {
        if (__builtin_add_overflow(now_s, links->lifetime_s, &expires_s))
            expires_s = INT64_MAX;
        sign(links, queue_name, text_of(key), expires_s, signature);
        buffer_printf(&url, "?expires=%" PRId64 "&signature=%s", expires_s,
                      signature);
    }
    link = arena_copy(arena, buffer_text(&url));
    buffer_free(&url);
    return link;
}

enum storage_link_state links_check(const struct links *links,
                                    struct text queue_name, struct text key,
                                    struct text query, int64_t now_s)
{
    char signature[SHA256_HEX_SIZE];
    struct link_query given;
    int64_t expires_s;

    if (!file_key_is_valid(key))
        return STORAGE_LINK_BAD;
    if (links->are_unsigned)
        return STORAGE_LINK_VALID;
    if (!parse_query(query, &given) ||
        !text_to_integer(given.expires, &expires_s))
        return STORAGE_LINK_BAD;
    sign(links, queue_name, key, expires_s, signature);
    if (!crypto_equal(given.signature, text_of(signature)))
        return STORAGE_LINK_BAD;
    return now_s > expires_s ? STORAGE_LINK_EXPIRED : STORAGE_LINK_VALID;
}

static struct text without_last_slash(struct text url)
{
    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    return url;
}

static void sign(const struct links *links, struct text queue_name,
                 struct text key, int64_t expires_s,
                 char ret_signature[SHA256_HEX_SIZE])
{
    const struct text secret = {(const char *)links->key, sizeof links->key};
    struct buffer framed = {NULL, 0, 0};

    buffer_printf(&framed, "%zu:", queue_name.size);
    buffer_append_text(&framed, queue_name);
    buffer_append_char(&framed, '\n');
    buffer_append_text(&framed, key);
    buffer_printf(&framed, "\n%" PRId64, expires_s);
    crypto_hmac_sha256_hex(secret, buffer_text(&framed), ret_signature);
    buffer_free(&framed);
}

/*
 * Each of the two once, in any order; others do not matter. Nothing in them
 * needs to be encoded.
 */
static bool parse_query(struct text query, struct link_query *ret_query)
{
    struct link_query found = {TEXT_ABSENT, TEXT_ABSENT};
    bool twice = false;

    while (query.size > 0) {
        const char *end = memchr(query.data, '&', query.size);
        const size_t size =
            end == NULL ? query.size : (size_t)(end - query.data);
        const struct text parameter = {query.data, size};
        const size_t step = end == NULL ? size : size + 1;

        take_parameter(parameter, "expires=", &found.expires, &twice);
        take_parameter(parameter, "signature=", &found.signature, &twice);
        query.data += step;
        query.size -= step;
    }
    if (twice || text_is_absent(found.expires) ||
        text_is_absent(found.signature))
        return false;
    *ret_query = found;
    return true;
}

static void take_parameter(struct text parameter, const char *name,
                           struct text *value, bool *twice)
{
    const size_t size = strlen(name);

    if (!text_starts_with(parameter, name))
        return;
    *twice = *twice || !text_is_absent(*value);
    *value = (struct text){parameter.data + size, parameter.size - size};
}

/*
 * Where in S3 an object is.
 *
 * An endpoint is held to a narrow alphabet, so that what is signed as its
 * host is, byte for byte, what an HTTP client makes of the URL.
 */
#include "server/storage/s3_address.h"

#include "server/base/buffer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { SHORTEST_BUCKET = 3, LONGEST_BUCKET = 63, LONGEST_PORT = 5 };

/* What an endpoint is made of. */
struct endpoint {
    const char *scheme;
    struct text host; /* with the port, unless it is the scheme's own */
    struct text path; /* without a slash at its end */
};

static const char *amazon_endpoint(const char *region, struct arena *arena);
static bool read_endpoint(const char *url, struct endpoint *ret_endpoint);
static bool read_host(struct text authority, const char *own_port,
                      struct text *ret_host);
static bool is_name(struct text name);
static bool consists_of(struct text text, const char *others);
static bool is_virtual(const struct s3_bucket *bucket, struct text host);
static bool fits_into_host(const char *bucket);
static bool is_ip_address(struct text host);
static struct text host_of(const struct endpoint *endpoint, const char *bucket,
                           struct arena *arena);
static struct text path_of(const struct endpoint *endpoint, const char *bucket,
                           struct text object, struct arena *arena);
static struct text give(struct buffer *buffer, struct arena *arena);

bool s3_address_of(const struct s3_bucket *bucket, struct text key,
                   struct arena *arena, struct s3_address *ret_address)
{
    struct text object =
        text_is_absent(key) ? key : s3_object_name(bucket, key, arena);
    const char *url = bucket->endpoint != NULL
                          ? bucket->endpoint
                          : amazon_endpoint(bucket->region, arena);
    struct endpoint endpoint;
    struct s3_address address;
    bool is_in_host;

    if (bucket->name[0] == '\0' || strchr(bucket->name, '/') != NULL)
        return false;
    if (!read_endpoint(url, &endpoint))
        return false;
    is_in_host = is_virtual(bucket, endpoint.host);
    address.host = host_of(&endpoint, is_in_host ? bucket->name : NULL, arena);
    address.path =
        path_of(&endpoint, is_in_host ? NULL : bucket->name, object, arena);
    address.origin = text_of(
        arena_printf(arena, "%s://%s", endpoint.scheme, address.host.data));
    *ret_address = address;
    return true;
}

struct text s3_object_name(const struct s3_bucket *bucket, struct text key,
                           struct arena *arena)
{
    struct text prefix = text_of(bucket->prefix);
    struct buffer name = {NULL, 0, 0};

    while (prefix.size > 0 && prefix.data[0] == '/')
        prefix = (struct text){prefix.data + 1, prefix.size - 1};
    while (prefix.size > 0 && prefix.data[prefix.size - 1] == '/')
        prefix.size--;
    if (prefix.size > 0) {
        buffer_append_text(&name, prefix);
        buffer_append_char(&name, '/');
    }
    buffer_append_text(&name, key);
    return give(&name, arena);
}

static const char *amazon_endpoint(const char *region, struct arena *arena)
{
    return arena_printf(arena, "https://s3.%s.amazonaws.com%s", region,
                        strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

static bool read_endpoint(const char *url, struct endpoint *ret_endpoint)
{
    bool is_https = strncasecmp(url, "https://", 8) == 0;
    struct endpoint endpoint = {.scheme = is_https ? "https" : "http"};
    const char *authority = url + strlen(endpoint.scheme) + 3;
    size_t size;

    if (!is_https && strncasecmp(url, "http://", 7) != 0)
        return false;
    size = strcspn(authority, "/?#");
    if (!read_host((struct text){authority, size}, is_https ? ":443" : ":80",
                   &endpoint.host))
        return false;
    endpoint.path = text_of(authority + size);
    if (!consists_of(endpoint.path, "-._~/"))
        return false;
    while (endpoint.path.size > 0 &&
           endpoint.path.data[endpoint.path.size - 1] == '/')
        endpoint.path.size--;
    *ret_endpoint = endpoint;
    return true;
}

/* `own_port` is left out, as clients leave it out of the Host header. */
static bool read_host(struct text authority, const char *own_port,
                      struct text *ret_host)
{
    struct text name = authority;
    struct text port = TEXT_ABSENT;

    while (name.size > 0 && isdigit((unsigned char)name.data[name.size - 1]))
        name.size--;
    if (name.size > 0 && name.data[name.size - 1] == ':') {
        name.size--;
        port = (struct text){name.data + name.size, authority.size - name.size};
        if (port.size == 1 || port.size > 1 + LONGEST_PORT)
            return false;
    } else {
        name = authority;
    }
    if (!is_name(name))
        return false;
    *ret_host = text_equal_string(port, own_port) ? name : authority;
    return true;
}

/* Of a host, or an IPv6 address in brackets. */
static bool is_name(struct text name)
{
    if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']')
        return consists_of((struct text){name.data + 1, name.size - 2}, ":.");
    return name.size > 0 && consists_of(name, "-._");
}

/* Of letters, digits and `others`. */
static bool consists_of(struct text text, const char *others)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte >= 0x80 || byte == '\0' ||
            (!isalnum(byte) && strchr(others, byte) == NULL))
            return false;
    }
    return true;
}

/* As botocore decides it, so that settings go on meaning the same. */
static bool is_virtual(const struct s3_bucket *bucket, struct text host)
{
    switch (bucket->addressing) {
    case S3_ADDRESSING_PATH:
        return false;
    case S3_ADDRESSING_AUTO:
        if (bucket->endpoint != NULL)
            return false;
        break;
    case S3_ADDRESSING_VIRTUAL:
        break;
    }
    return fits_into_host(bucket->name) && !is_ip_address(host);
}

/* Dots would make names that no certificate covers. */
static bool fits_into_host(const char *bucket)
{
    size_t size = strlen(bucket);

    return size >= SHORTEST_BUCKET && size <= LONGEST_BUCKET &&
           strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == size &&
           bucket[0] != '-' && bucket[size - 1] != '-';
}

static bool is_ip_address(struct text host)
{
    for (size_t i = 0; i < host.size; i++) {
        if (!isdigit((unsigned char)host.data[i]) &&
            strchr(".:", host.data[i]) == NULL)
            return host.data[0] == '[';
    }
    return true;
}

/* `bucket` is NULL when it goes elsewhere. */
static struct text host_of(const struct endpoint *endpoint, const char *bucket,
                           struct arena *arena)
{
    char *host =
        arena_printf(arena, "%s%s%.*s", bucket == NULL ? "" : bucket,
                     bucket == NULL ? "" : ".", TEXT_ARGUMENTS(endpoint->host));

    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return text_of(host);
}

static struct text path_of(const struct endpoint *endpoint, const char *bucket,
                           struct text object, struct arena *arena)
{
    struct buffer path = {NULL, 0, 0};

    buffer_append_text(&path, endpoint->path);
    buffer_append_char(&path, '/');
    if (bucket != NULL) {
        buffer_append_string(&path, bucket);
        if (!text_is_absent(object))
            buffer_append_char(&path, '/');
    }
    buffer_append_text(&path, object);
    return give(&path, arena);
}

/* The arena's own copy; the buffer is freed. */
static struct text give(struct buffer *buffer, struct arena *arena)
{
    struct text copy = arena_copy(arena, buffer_text(buffer));

    buffer_free(buffer);
    return copy;
}

/*
 * Checks of texts that are more than text.
 */
#include "server/config/checks.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { MAX_PORT = 65535, MAX_HOST = 255 };

static struct text authority_of(struct text url);
static bool is_authority(struct text text);
static bool is_port(struct text text);
static bool is_host(struct text text);
static bool is_address(int family, struct text text);
static bool has_only(struct text text, const char *marks);
static struct text from(struct text text, size_t start);

bool check_listen(struct text text)
{
    const char *colon = memrchr(text.data, ':', text.size);
    struct text host = {text.data, 0};

    if (colon == NULL)
        return false;
    host.size = (size_t)(colon - text.data);
    if (!is_port(from(text, host.size + 1)))
        return false;
    if (text_starts_with(host, "[") && host.data[host.size - 1] == ']')
        return is_address(AF_INET6,
                          (struct text){host.data + 1, host.size - 2});
    return is_host(host);
}

bool check_cookie_name(struct text text)
{
    return text.size > 0 && has_only(text, "!#$%&'*+-.^_`|~");
}

bool check_web_address(struct text text)
{
    bool has_scheme =
        (text.size >= 7 && strncasecmp(text.data, "http://", 7) == 0) ||
        (text.size >= 8 && strncasecmp(text.data, "https://", 8) == 0);

    return has_scheme && is_authority(authority_of(text)) &&
           check_printable(text) && memchr(text.data, ' ', text.size) == NULL;
}

bool check_base_url(struct text text)
{
    return check_web_address(text) && strcspn(text.data, "?#") == text.size;
}

bool check_media_url(struct text text)
{
    size_t slashes = strspn(text.data, "/");

    if (text.size == 0 || check_base_url(text))
        return true;
    return slashes < text.size && has_only(text, "-._~/") &&
           memmem(text.data, text.size, "..", 2) == NULL &&
           memmem(text.data, text.size, "//", 2) == NULL;
}

/* The last @ is the one: some write it into a password. */
bool check_find_user(struct text text, struct text *ret_user)
{
    struct text authority = authority_of(text);
    const char *at = memrchr(authority.data, '@', authority.size);

    if (at == NULL)
        return false;
    *ret_user = (struct text){authority.data, (size_t)(at - authority.data)};
    return true;
}

bool check_printable(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte < 0x20 || byte == 0x7F)
            return false;
    }
    return true;
}

/* What is between the slashes and the path; empty when there is none. */
static struct text authority_of(struct text url)
{
    const char *slashes = memmem(url.data, url.size, "//", 2);
    struct text authority;

    if (slashes == NULL)
        return from(url, url.size);
    authority = from(url, (size_t)(slashes - url.data) + 2);
    authority.size = strcspn(authority.data, "/?#");
    return authority;
}

/* In the narrow alphabet in which all parsers of URLs agree. */
static bool is_authority(struct text text)
{
    const char *bracket = memchr(text.data, ']', text.size);
    size_t start = bracket == NULL ? 0 : (size_t)(bracket - text.data);
    const char *colon = memchr(text.data + start, ':', text.size - start);
    struct text host = text;

    if (colon != NULL) {
        host.size = (size_t)(colon - text.data);
        if (!is_port(from(text, host.size + 1)))
            return false;
    }
    if (text_starts_with(host, "[") && host.data[host.size - 1] == ']')
        return is_address(AF_INET6,
                          (struct text){host.data + 1, host.size - 2});
    return host.size > 0 && host.size <= MAX_HOST && has_only(host, "-._");
}

static bool is_port(struct text text)
{
    int64_t port;

    return text_to_integer(text, &port) && port >= 0 && port <= MAX_PORT;
}

/* What has only digits and points must be an address, not a name. */
static bool is_host(struct text text)
{
    if (text.size == 0 || text.size > MAX_HOST)
        return false;
    if (strspn(text.data, "0123456789.") >= text.size)
        return is_address(AF_INET, text);
    return has_only(text, "-.");
}

static bool is_address(int family, struct text text)
{
    char address[INET6_ADDRSTRLEN + 1];
    unsigned char binary[sizeof(struct in6_addr)];

    if (text.size >= sizeof address)
        return false;
    memcpy(address, text.data, text.size);
    address[text.size] = '\0';
    return inet_pton(family, address, binary) == 1;
}

/* ASCII letters, digits and the marks. */
static bool has_only(struct text text, const char *marks)
{
    for (size_t i = 0; i < text.size; i++) {
        char one = text.data[i];
        bool letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z');
        bool digit = one >= '0' && one <= '9';

        if (!letter && !digit && (one == '\0' || strchr(marks, one) == NULL))
            return false;
    }
    return true;
}

static struct text from(struct text text, size_t start)
{
    return (struct text){text.data + start, text.size - start};
}

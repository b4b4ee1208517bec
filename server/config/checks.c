/*
 * Checks of texts that are more than text.
 */
#include "server/config/checks.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { MAX_PORT = 65535, MAX_HOST = 255 };

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
    size_t scheme;
    struct text rest;

    if (text.size >= 8 && strncasecmp(text.data, "https://", 8) == 0)
        scheme = 8;
    else if (text.size >= 7 && strncasecmp(text.data, "http://", 7) == 0)
        scheme = 7;
    else
        return false;
    rest = from(text, scheme);
    return rest.size > 0 && strchr("/?#:@", rest.data[0]) == NULL &&
           check_printable(text) && memchr(text.data, ' ', text.size) == NULL;
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

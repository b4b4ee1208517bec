/*
 * Which addresses and hosts we may call.
 *
 * The decision falls on the binary address that is about to be connected, so
 * it does not matter how it was spelt, or which name led to it. An IPv6
 * address that carries an IPv4 address is judged by the latter.
 */
#include "server/fetch/address.h"

#include "server/base/compiler.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

enum { IPV4_SIZE = 4, IPV6_SIZE = 16 };

struct range {
    uint8_t prefix[IPV6_SIZE];
    unsigned bits;
};

static const struct range forbidden_ipv4[] = {
    {{0}, 8},                   /* unspecified */
    {{169, 254}, 16},           /* link-local, with most metadata services */
    {{224}, 4},                 /* multicast */
    {{255, 255, 255, 255}, 32}, /* broadcast */
    {{100, 100, 100, 200}, 32}, /* metadata: Alibaba Cloud */
    {{168, 63, 129, 16}, 32},   /* metadata: Azure's wire server */
    {{192, 0, 0, 192}, 32},     /* metadata: Oracle Cloud Classic */
};

static const struct range forbidden_ipv6[] = {
    {{0}, 128},                               /* unspecified */
    {{0xfe, 0x80}, 10},                       /* link-local */
    {{0xff}, 8},                              /* multicast */
    {{0xfd, 0x00, 0x0e, 0xc2}, 32},           /* metadata: Amazon */
    {{0xfd, 0x20, 0x00, 0xce, [15] = 0}, 48}, /* metadata: Google */
    {{0xfd, 0x00, 0x00, 0xc1}, 32},           /* metadata: Oracle Cloud */
    {{0xfd, 0x00, 0x00, 0x42}, 32},           /* metadata: Scaleway */
};

static const struct range loopback_ipv6 = {{[15] = 1}, 128};

/* IPv6 ranges that carry an IPv4 address, and where in it. */
static const struct {
    struct range range;
    size_t offset;
} wrappers[] = {
    {{{[10] = 0xff, [11] = 0xff}, 96}, 12},           /* IPv4-mapped */
    {{{[8] = 0xff, [9] = 0xff}, 96}, 12},             /* IPv4-translated */
    {{{0}, 96}, 12},                                  /* IPv4-compatible */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},             /* NAT64 */
    {{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, 12}, /* NAT64, local use */
    {{{0x20, 0x02}, 16}, 2},                          /* 6to4 */
};

static bool ipv4_is_forbidden(const uint8_t *address);
static bool ipv6_is_forbidden(const uint8_t *address);
static bool is_in_any(const uint8_t *address, const struct range *ranges,
                      size_t count);
static bool is_in(const uint8_t *address, const struct range *range);
static bool entry_matches(struct text host, struct text entry);
static struct text bare_host(struct text host);

bool address_is_forbidden(const struct sockaddr *address, size_t size)
{
    if (size >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;

        memcpy(&ipv4, address, sizeof ipv4);
        return ipv4_is_forbidden((const uint8_t *)&ipv4.sin_addr);
    }
    if (size >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;

        memcpy(&ipv6, address, sizeof ipv6);
        return ipv6_is_forbidden(ipv6.sin6_addr.s6_addr);
    }
    return true;
}

bool host_is_allowed(struct text host, const char *const *allowed, size_t count)
{
    host = bare_host(host);
    for (size_t i = 0; i < count; i++) {
        if (entry_matches(host, bare_host(text_of(allowed[i]))))
            return true;
    }
    return count == 0;
}

static bool ipv4_is_forbidden(const uint8_t *address)
{
    return is_in_any(address, forbidden_ipv4, ARRAY_LENGTH(forbidden_ipv4));
}

static bool ipv6_is_forbidden(const uint8_t *address)
{
    if (is_in_any(address, forbidden_ipv6, ARRAY_LENGTH(forbidden_ipv6)))
        return true;
    if (is_in(address, &loopback_ipv6))
        return false; /* looks like a wrapped 0.0.0.1 */
    for (size_t i = 0; i < ARRAY_LENGTH(wrappers); i++) {
        if (is_in(address, &wrappers[i].range))
            return ipv4_is_forbidden(address + wrappers[i].offset);
    }
    return false;
}

static bool is_in_any(const uint8_t *address, const struct range *ranges,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_in(address, &ranges[i]))
            return true;
    }
    return false;
}

static bool is_in(const uint8_t *address, const struct range *range)
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;

    if (memcmp(address, range->prefix, whole) != 0)
        return false;
    return rest == 0 ||
           (address[whole] ^ range->prefix[whole]) >> (8 - rest) == 0;
}

static bool entry_matches(struct text host, struct text entry)
{
    if (entry.size > 0 && entry.data[0] == '.') {
        if (host.size <= entry.size)
            return false;
        host.data += host.size - entry.size;
        host.size = entry.size;
    }
    return entry.size > 0 && host.size == entry.size &&
           strncasecmp(host.data, entry.data, host.size) == 0;
}

/* Without the brackets of an IPv6 address and the dot of an absolute name. */
static struct text bare_host(struct text host)
{
    if (host.size >= 2 && host.data[0] == '[' &&
        host.data[host.size - 1] == ']')
        return (struct text){host.data + 1, host.size - 2};
    if (host.size > 1 && host.data[host.size - 1] == '.')
        host.size--;
    return host;
}

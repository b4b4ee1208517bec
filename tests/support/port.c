/*
 * Ports that stay ours: bound, and not listened at.
 */
#include "tests/support/port.h"

#include "server/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static bool take(uint16_t port, uint16_t *ret_port);

uint16_t port_reserve(void)
{
    uint16_t port;

    if (!take(0, &port))
        fatal("no port can be had: %s", strerror(errno));
    return port;
}

void port_keep(uint16_t port)
{
    uint16_t same;

    /* It is someone else's already, or has been kept. */
    (void)take(port, &same);
}

/* The socket is left open. */
static bool take(uint16_t port, uint16_t *ret_port)
{
    const int yes = 1;
    const int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    if (holder < 0 ||
        setsockopt(holder, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(holder, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(holder, (struct sockaddr *)&address, &size) != 0)
        return false;
    *ret_port = ntohs(address.sin_port);
    return true;
}

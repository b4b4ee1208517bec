/*
 * Where the small servers of the benchmarks listen.
 */
#include "tests/bench/support/listening.h"

#include "server/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Ten thousand may come at the same moment. */
enum { BACKLOG = 4096 };

int bench_listen(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (listener < 0 ||
        bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        fatal("no port to listen at: %s", strerror(errno));
    *ret_port = ntohs(address.sin_port);
    return listener;
}

/*
 * "ADDRESS:PORT" as the setting LISTEN has it.
 */
#include "server/cli/listen_address.h"

#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

char *listen_address_split(const char *listen, uint16_t *ret_port)
{
    char *address = xstrdup(listen);
    char *colon = strrchr(address, ':');

    if (colon == NULL)
        fatal("LISTEN without a port: %s", listen);
    *colon = '\0';
    *ret_port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return address;
}

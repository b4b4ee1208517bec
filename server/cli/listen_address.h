/*
 * "ADDRESS:PORT" as the setting LISTEN has it.
 */
#ifndef XQUEUE_CLI_LISTEN_ADDRESS_H
#define XQUEUE_CLI_LISTEN_ADDRESS_H

#include <stdint.h>

/*
 * The address of a LISTEN value that the configuration has accepted,
 * "[::1]" with its brackets; the caller frees it.
 */
char *listen_address_split(const char *listen, uint16_t *ret_port);

#endif

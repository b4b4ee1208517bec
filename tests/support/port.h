/*
 * Ports of this machine at which nobody listens. They stay ours until the
 * process ends: the system gives them to nobody, neither to another test that
 * runs at the same time nor to a connection. Who is told the number may
 * listen there, as servers do (SO_REUSEADDR).
 */
#ifndef XQUEUE_TESTS_SUPPORT_PORT_H
#define XQUEUE_TESTS_SUPPORT_PORT_H

#include <stdint.h>

uint16_t port_reserve(void);

/* One at which a process has just ceased to listen. */
void port_keep(uint16_t port);

#endif

/*
 * Which addresses and hosts we may call. Pure functions, any thread.
 *
 * Loopback and private addresses are allowed: the LMS and the graders
 * normally live there.
 */
#ifndef XQUEUE_FETCH_ADDRESS_H
#define XQUEUE_FETCH_ADDRESS_H

#include "server/base/text.h"

#include <sys/socket.h>

/*
 * True for what is never a grader or an LMS: link-local addresses, the clouds'
 * metadata services, unspecified, multicast and broadcast addresses, in their
 * IPv4 form or wrapped in IPv6 - and for anything that is not an IP address.
 */
bool address_is_forbidden(const struct sockaddr *address, size_t size);

/*
 * `host` is a name or an IP address, with or without brackets. An entry of
 * `allowed` is an exact name, or ".example.org" for all below it. Letter case
 * and one dot at the end do not matter. No entries: every host is allowed.
 */
bool host_is_allowed(struct text host, const char *const *allowed,
                     size_t count);

#endif

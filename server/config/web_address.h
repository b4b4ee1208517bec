/*
 * A web address with a user and password in it, as python-requests takes it:
 * http://user:password@host/path. Pure.
 */
#ifndef XQUEUE_CONFIG_WEB_ADDRESS_H
#define XQUEUE_CONFIG_WEB_ADDRESS_H

#include "server/base/arena.h"

/* All in the arena. */
struct web_address {
    const char *url;  /* without user and password */
    const char *user; /* both percent-decoded; NULL: none, and none to send */
    const char *password;
};

/*
 * False for what is no address, see check_web_address(), and for a user or
 * password with control characters. As with requests a user without a colon
 * after it is left out: there is no password to send.
 */
bool web_address_parse(struct arena *arena, struct text text,
                       struct web_address *ret_address) MUST_CHECK;

#endif

/*
 * Checks of texts that are more than text. Pure.
 */
#ifndef XQUEUE_CONFIG_CHECKS_H
#define XQUEUE_CONFIG_CHECKS_H

#include "server/base/compiler.h"
#include "server/base/text.h"

/* ADDRESS:PORT, NAME:PORT or [IPv6]:PORT; port 0 lets the system choose. */
bool check_listen(struct text text);

/* A token as cookies need it. */
bool check_cookie_name(struct text text);

/*
 * http:// or https://, a plain host and maybe a port, and no blank or control
 * character.
 */
bool check_web_address(struct text text);

/* The same without a query or a fragment: something may follow it. */
bool check_base_url(struct text text);

/*
 * The plain path of a folder, with or without slashes around; or such a URL;
 * or nothing.
 */
bool check_media_url(struct text text);

/*
 * What stands before the host and its @: a user, and maybe a colon and a
 * password. False when nothing does.
 */
bool check_find_user(struct text text, struct text *ret_user) MUST_CHECK;

/* No control characters. */
bool check_printable(struct text text);

#endif

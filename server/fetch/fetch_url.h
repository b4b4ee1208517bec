/*
 * A URL that we may fetch: checked, and quoted where it must be. Any thread.
 */
#ifndef XQUEUE_FETCH_FETCH_URL_H
#define XQUEUE_FETCH_FETCH_URL_H

#include "server/base/compiler.h"
#include "server/base/text.h"

struct fetch_url {
    char *url;  /* owns; bytes outside 0x21-0x7E percent-encoded */
    char *host; /* owns; as curl reads it, an IPv6 address in brackets */
    long port;
    bool is_https;
};

/*
 * True when `url` is http or https, absolute, with a plain ASCII host, and
 * without user name or password. Path and query stay as they are, except for
 * blanks, control characters and bytes beyond ASCII. Free it afterwards.
 */
bool fetch_url_parse(const char *url, struct fetch_url *ret_url) MUST_CHECK;

/* The same for the Location of a redirect, which may be relative to `from`. */
bool fetch_url_join(const struct fetch_url *from, const char *location,
                    struct fetch_url *ret_url) MUST_CHECK;

void fetch_url_free(struct fetch_url *url);

/*
 * May the password meant for `from` go along with a redirect to `to`? As
 * python-requests: the same host, port and scheme, or the change from http to
 * https on their usual ports.
 */
bool fetch_url_is_same_site(const struct fetch_url *from,
                            const struct fetch_url *to);

#endif

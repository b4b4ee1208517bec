/*
 * The Cookie request field and the Set-Cookie reply field.
 */
#ifndef XQUEUE_HTTP_COOKIE_H
#define XQUEUE_HTTP_COOKIE_H

#include "server/base/arena.h"

/*
 * The first cookie of that name; one pair of double quotes is taken off.
 * Absent when there is none. Borrows from `field`.
 */
struct text cookie_get(struct text field, const char *name);

struct cookie {
    const char *name;
    const char *value;
    int64_t max_age_s; /* 0 or less: delete it */
    bool secure;
    const char *same_site; /* "Lax", "Strict", "None", or NULL for none */
};

/* "sessionid=...; expires=...; HttpOnly; Max-Age=...; Path=/; SameSite=Lax" */
const char *cookie_format(struct arena *arena, const struct cookie *cookie);

#endif

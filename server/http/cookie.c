/*
 * Cookies in both directions.
 */
#include "server/http/cookie.h"

#include "server/base/clock.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static struct text take_pair(struct text *rest);
static struct text without_quotes(struct text value);
static const char *expiry_date(struct arena *arena, int64_t max_age_s);

struct text cookie_get(struct text field, const char *name)
{
    while (field.size > 0) {
        struct text pair = take_pair(&field);
        const char *equals =
            pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
        struct text found = pair;

        if (equals == NULL || pair.data[0] == '$') /* $Path: RFC 2965 */
            continue;
        found.size = (size_t)(equals - pair.data);
        if (text_equal_string(text_trim(found), name))
            return without_quotes(text_trim(
                (struct text){equals + 1, pair.size - found.size - 1}));
    }
    return TEXT_ABSENT;
}

const char *cookie_format(struct arena *arena, const struct cookie *cookie)
{
    int64_t max_age_s = cookie->max_age_s > 0 ? cookie->max_age_s : 0;

    return arena_printf(
        arena, "%s=%s; expires=%s; HttpOnly; Max-Age=%" PRId64 "; Path=/%s%s%s",
        cookie->name, max_age_s > 0 ? cookie->value : "\"\"",
        expiry_date(arena, max_age_s), max_age_s,
        cookie->same_site == NULL ? "" : "; SameSite=",
        cookie->same_site == NULL ? "" : cookie->same_site,
        cookie->secure ? "; Secure" : "");
}

static struct text take_pair(struct text *rest)
{
    const char *semicolon = memchr(rest->data, ';', rest->size);
    struct text pair = *rest;

    if (semicolon == NULL) {
        *rest = (struct text){rest->data + rest->size, 0};
        return text_trim(pair);
    }
    pair.size = (size_t)(semicolon - rest->data);
    *rest = (struct text){semicolon + 1, rest->size - pair.size - 1};
    return text_trim(pair);
}

static struct text without_quotes(struct text value)
{
    if (value.size < 2 || value.data[0] != '"' ||
        value.data[value.size - 1] != '"')
        return value;
    return (struct text){value.data + 1, value.size - 2};
}

/* The start of time when the cookie is to go. */
static const char *expiry_date(struct arena *arena, int64_t max_age_s)
{
    const int64_t last = INT64_C(253402300799); /* of the year 9999 */
    int64_t now = clock_wall_us() / 1000000;
    time_t expiry = 0;
    char date[sizeof "Thu, 01 Jan 1970 00:00:00 GMT"];
    struct tm parts;

    if (max_age_s > 0)
        expiry = (time_t)(max_age_s < last - now ? now + max_age_s : last);
    gmtime_r(&expiry, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return arena_strdup(arena, date);
}

/*
 * A web address, taken apart.
 */
#include "server/config/web_address.h"

#include "server/base/percent.h"
#include "server/config/checks.h"

#include <string.h>

static bool parse_user(struct arena *arena, struct text user,
                       struct web_address *ret_address);
static struct text without(struct arena *arena, struct text text,
                           struct text user);

bool web_address_parse(struct arena *arena, struct text text,
                       struct web_address *ret_address)
{
    struct web_address address = {NULL, NULL, NULL};
    struct text user;

    if (check_find_user(text, &user)) {
        if (!parse_user(arena, user, &address))
            return false;
        text = without(arena, text, user);
    }
    if (!check_web_address(text))
        return false;
    address.url = arena_string(arena, text);
    *ret_address = address;
    return true;
}

static bool parse_user(struct arena *arena, struct text user,
                       struct web_address *ret_address)
{
    const char *colon = memchr(user.data, ':', user.size);
    struct text password;

    if (colon == NULL || user.size == 1)
        return true;
    password.data = colon + 1;
    password.size = (size_t)(user.data + user.size - password.data);
    user.size -= password.size + 1;
    user = percent_decode(arena, user, PERCENT_PLUS_STAYS);
    password = percent_decode(arena, password, PERCENT_PLUS_STAYS);
    if (!check_printable(user) || !check_printable(password))
        return false;
    ret_address->user = user.data;
    ret_address->password = password.data;
    return true;
}

/* The user and the @ after it. */
static struct text without(struct arena *arena, struct text text,
                           struct text user)
{
    size_t before = (size_t)(user.data - text.data);
    size_t end = before + user.size + 1;
    char *copy = arena_alloc(arena, text.size);

    memcpy(copy, text.data, before);
    memcpy(copy + before, text.data + end, text.size - end);
    copy[text.size - user.size - 1] = '\0';
    return (struct text){copy, text.size - user.size - 1};
}

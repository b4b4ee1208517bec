/*
 * An address of the web, apart.
 */
#include "server/config/web_address.h"

#include "server/base/utf8.h"
#include "server/config/checks.h"

#include <string.h>

static bool read_user(struct arena *arena, struct text user,
                      struct web_address *ret_address);
static struct text without(struct arena *arena, struct text text,
                           struct text user);
static struct text decode(struct arena *arena, struct text text);

bool web_address_read(struct arena *arena, struct text text,
                      struct web_address *ret_address)
{
    struct web_address address = {NULL, NULL, NULL};
    struct text user;

    if (check_find_user(text, &user)) {
        if (!read_user(arena, user, &address))
            return false;
        text = without(arena, text, user);
    }
    if (!check_web_address(text))
        return false;
    address.url = arena_string(arena, text);
    *ret_address = address;
    return true;
}

static bool read_user(struct arena *arena, struct text user,
                      struct web_address *ret_address)
{
    const char *colon = memchr(user.data, ':', user.size);
    struct text password;

    if (colon == NULL || user.size == 1)
        return true;
    password.data = colon + 1;
    password.size = (size_t)(user.data + user.size - password.data);
    user.size -= password.size + 1;
    user = decode(arena, user);
    password = decode(arena, password);
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

/* As Python's unquote: a % that is not followed by two digits stays. */
static struct text decode(struct arena *arena, struct text text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        copy[size] = text.data[i];
        if (text.data[i] == '%' && text.size - i > 2 &&
            text_hex_digit(text.data[i + 1]) >= 0 &&
            text_hex_digit(text.data[i + 2]) >= 0) {
            copy[size] = (char)(text_hex_digit(text.data[i + 1]) << 4 |
                                text_hex_digit(text.data[i + 2]));
            i += 2;
        }
        size++;
    }
    copy[size] = '\0';
    return utf8_repair(arena, (struct text){copy, size});
}

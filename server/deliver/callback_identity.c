/*
 * What a submission's header says about its callback.
 */
#include "server/deliver/callback_identity.h"

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/utf8.h"
#include "server/fetch/fetch_url.h"

#include <string.h>

static struct text origin_of(struct text url);

void callback_problem(struct text url, unsigned char ret_problem[PROBLEM_SIZE])
{
    unsigned char digest[SHA256_SIZE];

    crypto_sha256(url, digest);
    memcpy(ret_problem, digest, PROBLEM_SIZE);
}

int64_t callback_destination(struct text url)
{
    struct arena *arena = arena_new();
    struct text origin = origin_of(url);
    char *lower = arena_string(arena, origin);
    unsigned char digest[SHA256_SIZE];
    uint64_t number = 0;

    for (size_t i = 0; i < origin.size; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    }
    crypto_sha256((struct text){lower, origin.size}, digest);
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | digest[i];
    arena_free(arena);
    return (int64_t)number;
}

bool callback_identify(struct text xqueue_header,
                       unsigned char ret_problem[PROBLEM_SIZE],
                       int64_t *ret_destination)
{
    struct arena *arena = arena_new();
    struct text url = callback_url(arena, xqueue_header);
    bool found = !text_is_absent(url);

    if (found) {
        callback_problem(url, ret_problem);
        *ret_destination = callback_destination(url);
    }
    arena_free(arena);
    return found;
}

bool callback_is_possible(struct text url)
{
    struct arena *arena = arena_new();
    struct fetch_url parsed;
    bool possible = memchr(url.data, '\0', url.size) == NULL;

    if (possible && memmem(url.data, url.size, "://", 3) != NULL) {
        possible = fetch_url_parse(arena_string(arena, url), &parsed);
        if (possible)
            fetch_url_free(&parsed);
    }
    arena_free(arena);
    return possible;
}

struct text callback_origin(struct text url)
{
    struct text origin = origin_of(url);

    if (origin.size == 0 || memchr(origin.data, '@', origin.size) != NULL)
        return TEXT_ABSENT;
    return origin;
}

struct text callback_url(struct arena *arena, struct text xqueue_header)
{
    const struct json_value *header;
    const struct json_value *url;

    if (!json_parse_object(arena, xqueue_header, &header))
        return TEXT_ABSENT;
    url = json_get(header, "lms_callback_url");
    if (url == NULL || text_is_absent(json_text(url)))
        return TEXT_ABSENT;
    /* As it was stored: half a surrogate pair is no character. */
    return utf8_repair(arena, json_text(url));
}

/* "http://host:port": up to the slash, question mark or '#' after it. */
static struct text origin_of(struct text url)
{
    const char *mark = memmem(url.data, url.size, "://", 3);
    size_t end = mark == NULL ? 0 : (size_t)(mark - url.data) + 3;

    while (mark != NULL && end < url.size && url.data[end] != '/' &&
           url.data[end] != '?' && url.data[end] != '#')
        end++;
    return (struct text){url.data, end};
}

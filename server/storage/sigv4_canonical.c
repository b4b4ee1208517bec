/*
 * The parts of a request in the one way of writing them that is signed.
 */
#include "server/storage/sigv4_canonical.h"

#include "server/base/buffer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void encode(struct buffer *to, struct text text, const char *kept);
static struct text encoded(struct arena *arena, struct text text);
static struct text lower_case(struct arena *arena, struct text name);
static struct text with_single_blanks(struct arena *arena, struct text value);
static void sort(struct sigv4_pairs *pairs);
static int compare_pairs(const void *left, const void *right);
static int compare(struct text left, struct text right);
static const char *give(struct buffer *buffer, struct arena *arena);

const char *canonical_path(struct text path, struct arena *arena)
{
    struct buffer written = {NULL, 0, 0};

    encode(&written, path, "-._~/");
    return give(&written, arena);
}

const char *canonical_query(const struct sigv4_pairs *query,
                            struct arena *arena)
{
    struct sigv4_pairs sorted = {
        arena_alloc(arena, query->count * sizeof *query->list + 1),
        query->count};
    struct buffer written = {NULL, 0, 0};

    for (size_t i = 0; i < sorted.count; i++) {
        sorted.list[i].name = encoded(arena, query->list[i].name);
        sorted.list[i].value = encoded(arena, query->list[i].value);
    }
    sort(&sorted);
    for (size_t i = 0; i < sorted.count; i++) {
        if (i > 0)
            buffer_append_char(&written, '&');
        buffer_append_text(&written, sorted.list[i].name);
        buffer_append_char(&written, '=');
        buffer_append_text(&written, sorted.list[i].value);
    }
    return give(&written, arena);
}

struct canonical_headers canonical_headers(struct sigv4_pairs *headers,
                                           struct arena *arena)
{
    struct buffer lines = {NULL, 0, 0};
    struct buffer names = {NULL, 0, 0};
    struct canonical_headers written;

    for (size_t i = 0; i < headers->count; i++) {
        struct sigv4_pair *header = &headers->list[i];

        header->name = lower_case(arena, header->name);
        header->value = with_single_blanks(arena, header->value);
    }
    sort(headers);
    for (size_t i = 0; i < headers->count; i++) {
        if (i > 0)
            buffer_append_char(&names, ';');
        buffer_append_text(&names, headers->list[i].name);
        buffer_append_text(&lines, headers->list[i].name);
        buffer_append_char(&lines, ':');
        buffer_append_text(&lines, headers->list[i].value);
        buffer_append_char(&lines, '\n');
    }
    written.lines = give(&lines, arena);
    written.names = give(&names, arena);
    return written;
}

static void encode(struct buffer *to, struct text text, const char *kept)
{
    static const char digits[] = "0123456789ABCDEF";

    buffer_reserve(to, text.size + text.size / 2);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte < 0x80 &&
            (isalnum(byte) || (byte != '\0' && strchr(kept, byte) != NULL)))
            buffer_append_char(to, (char)byte);
        else
            buffer_append(
                to, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
    }
}

static struct text encoded(struct arena *arena, struct text text)
{
    struct buffer written = {NULL, 0, 0};

    encode(&written, text, "-._~");
    return text_of(give(&written, arena));
}

static struct text lower_case(struct arena *arena, struct text name)
{
    char *lower = arena_string(arena, name);

    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return text_of(lower);
}

static struct text with_single_blanks(struct arena *arena, struct text value)
{
    struct text trimmed = text_trim(value);
    char *single = arena_string(arena, trimmed);
    size_t size = 0;

    for (size_t i = 0; i < trimmed.size; i++) {
        if (trimmed.data[i] != ' ' || trimmed.data[i - 1] != ' ')
            single[size++] = trimmed.data[i];
    }
    single[size] = '\0';
    return (struct text){single, size};
}

static void sort(struct sigv4_pairs *pairs)
{
    qsort(pairs->list, pairs->count, sizeof *pairs->list, compare_pairs);
}

static int compare_pairs(const void *left, const void *right)
{
    const struct sigv4_pair *one = left;
    const struct sigv4_pair *other = right;
    int by_name = compare(one->name, other->name);

    return by_name != 0 ? by_name : compare(one->value, other->value);
}

static int compare(struct text left, struct text right)
{
    size_t size = left.size < right.size ? left.size : right.size;
    int order = memcmp(left.data, right.data, size);

    if (order != 0)
        return order;
    return (left.size > right.size) - (left.size < right.size);
}

/* The arena's own copy; the buffer is freed. */
static const char *give(struct buffer *buffer, struct arena *arena)
{
    const char *copy = arena_string(arena, buffer_text(buffer));

    buffer_free(buffer);
    return copy;
}

/*
 * Base64 in lines.
 */
#include "server/http/base64.h"

/* Four letters become three bytes; fewer, with padding, only at the end. */
struct group {
    uint32_t bits;
    size_t letters;
    size_t padding;
};

static bool take_letter(struct group *group, char letter);
static int letter_value(char letter);
static size_t flush(const struct group *group, char *bytes);

bool base64_decode_lines(struct arena *arena, struct text lines,
                         struct text *ret_bytes)
{
    char *bytes = arena_alloc(arena, lines.size / 4 * 3 + 4);
    struct group group = {0, 0, 0};
    size_t size = 0;

    for (size_t i = 0; i < lines.size; i++) {
        char letter = lines.data[i];

        if (letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n')
            continue;
        if (!take_letter(&group, letter))
            return false;
        if (group.letters + group.padding < 4 || group.padding > 0)
            continue;
        size += flush(&group, bytes + size);
        group = (struct group){0, 0, 0};
    }
    if ((group.letters + group.padding) % 4 != 0)
        return false;
    if (group.padding > 0)
        size += flush(&group, bytes + size);
    bytes[size] = '\0';
    *ret_bytes = (struct text){bytes, size};
    return true;
}

/* After padding, nothing may follow but more of it. */
static bool take_letter(struct group *group, char letter)
{
    int value = letter_value(letter);

    if (letter == '=') {
        group->bits <<= 6;
        group->padding++;
        return group->letters >= 2 && group->letters + group->padding <= 4;
    }
    if (value < 0 || group->padding > 0)
        return false;
    group->bits = group->bits << 6 | (uint32_t)value;
    group->letters++;
    return true;
}

static int letter_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+')
        return 62;
    return letter == '/' ? 63 : -1;
}

static size_t flush(const struct group *group, char *bytes)
{
    bytes[0] = (char)(group->bits >> 16 & 0xFF);
    bytes[1] = (char)(group->bits >> 8 & 0xFF);
    bytes[2] = (char)(group->bits & 0xFF);
    return 3 - group->padding;
}

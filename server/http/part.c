/*
 * The header of one part. Of its fields two are read: Content-Disposition,
 * which names the part, and Content-Transfer-Encoding.
 *
 * A parameter may come as name="..." in raw UTF-8, as browsers and urllib3
 * send it, or as name*=utf-8''..., as old urllib3 did; the latter wins.
 */
#include "server/http/part.h"

#include "server/base/percent.h"
#include "server/base/utf8.h"
#include "server/http/parameter.h"

#include <string.h>

enum {
    MAX_HEADER_BYTES = 8192, /* two names of 255 emoji, percent-encoded */
    MAX_LINES = 16,
    MAX_FILE_NAME = 255 /* characters */
};

/* The two fields that matter, absent when not there. */
struct part_fields {
    struct text disposition;
    struct text encoding;
};

static bool read_line(struct text line, struct part_fields *fields);
static bool keep_once(struct text *kept, struct text value);
static bool is_clean(struct text line);
static bool read_disposition(struct arena *arena, struct text disposition,
                             struct part *part);
static bool read_parameter(struct arena *arena, struct text disposition,
                           const char *name, const char *extended_name,
                           struct text *ret_value);
static struct text decode_extended(struct arena *arena, struct text value);
static struct text without_blanks(struct text name);
static struct text label_of(struct arena *arena, struct text file_name);

bool part_parse_header(struct arena *arena, struct text lines,
                       struct part *ret_part)
{
    struct part_fields fields = {TEXT_ABSENT, TEXT_ABSENT};
    struct part part = {.name = TEXT_ABSENT};
    size_t start = 0;

    if (lines.size > MAX_HEADER_BYTES)
        return false;
    for (size_t count = 0; start < lines.size; count++) {
        const char *line = lines.data + start;
        const char *end = memmem(line, lines.size - start, "\r\n", 2);

        if (end == NULL || count == MAX_LINES ||
            !read_line((struct text){line, (size_t)(end - line)}, &fields))
            return false;
        start += (size_t)(end - line) + 2;
    }
    if (!text_is_absent(fields.disposition) &&
        !read_disposition(arena, fields.disposition, &part))
        return false;
    part.is_base64 = text_equal_ignoring_case(fields.encoding, "base64");
    *ret_part = part;
    return true;
}

static bool read_line(struct text line, struct part_fields *fields)
{
    const char *colon;
    struct text name = line;
    struct text value;

    if (!is_clean(line))
        return false;
    colon = memchr(line.data, ':', line.size);
    if (colon == NULL)
        return false;
    name.size = (size_t)(colon - line.data);
    value = text_trim((struct text){colon + 1, line.size - name.size - 1});
    name = text_trim(name);
    if (text_equal_ignoring_case(name, "content-disposition"))
        return keep_once(&fields->disposition, value);
    if (text_equal_ignoring_case(name, "content-transfer-encoding"))
        return keep_once(&fields->encoding, value);
    return true;
}

static bool keep_once(struct text *kept, struct text value)
{
    if (!text_is_absent(*kept))
        return false;
    *kept = value;
    return true;
}

/* Not folded, and no CR, LF or NUL that readers might take differently. */
static bool is_clean(struct text line)
{
    if (line.size == 0 || line.data[0] == ' ' || line.data[0] == '\t')
        return false;
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] == '\r' || line.data[i] == '\n' ||
            line.data[i] == '\0')
            return false;
    return true;
}

static bool read_disposition(struct arena *arena, struct text disposition,
                             struct part *part)
{
    struct text file_name;

    if (!text_equal_ignoring_case(parameter_head(disposition), "form-data"))
        return true;
    if (!read_parameter(arena, disposition, "name", "name*", &part->name) ||
        !read_parameter(arena, disposition, "filename", "filename*",
                        &file_name))
        return false;
    part->name = without_blanks(part->name);
    if (file_name.size > 0) /* an empty one makes a field, as in Django */
        part->file_name = label_of(arena, file_name);
    return true;
}

/* Absent when neither form is there; false when there are two of one. */
static bool read_parameter(struct arena *arena, struct text disposition,
                           const char *name, const char *extended_name,
                           struct text *ret_value)
{
    struct text plain = TEXT_ABSENT;
    struct text extended = TEXT_ABSENT;

    if (parameter_get(arena, disposition, name, &plain) ==
            PARAMETER_AMBIGUOUS ||
        parameter_get(arena, disposition, extended_name, &extended) ==
            PARAMETER_AMBIGUOUS)
        return false;
    *ret_value = text_is_absent(extended) ? utf8_repair(arena, plain)
                                          : decode_extended(arena, extended);
    return true;
}

/* charset'language'percent-encoded; every charset is taken for UTF-8. */
static struct text decode_extended(struct arena *arena, struct text value)
{
    size_t quotes = 0;
    size_t start = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != '\'')
            continue;
        quotes++;
        start = i + 1;
    }
    if (quotes != 2)
        return utf8_repair(arena, value);
    return percent_decode(arena,
                          (struct text){value.data + start, value.size - start},
                          PERCENT_PLUS_STAYS);
}

/* At both ends, as Django; among them line ends that were encoded. */
static struct text without_blanks(struct text name)
{
    static const char blanks[] = {' ', '\t', '\n', '\v', '\f', '\r'};

    while (name.size > 0 && memchr(blanks, name.data[0], sizeof blanks) != NULL)
        name = (struct text){name.data + 1, name.size - 1};
    while (name.size > 0 &&
           memchr(blanks, name.data[name.size - 1], sizeof blanks) != NULL)
        name.size--;
    return name;
}

/* The last path component, without control characters, of bounded length. */
static struct text label_of(struct arena *arena, struct text file_name)
{
    char *copy = arena_alloc(arena, file_name.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < file_name.size; i++) {
        char byte = file_name.data[i];

        if (byte == '/' || byte == '\\')
            size = 0;
        else if ((unsigned char)byte >= ' ' && byte != 0x7F)
            copy[size++] = byte;
    }
    copy[size] = '\0';
    return utf8_prefix((struct text){copy, size}, MAX_FILE_NAME);
}

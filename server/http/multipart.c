/*
 * multipart/form-data: cuts the body at its delimiters and hands each part's
 * header to part.c. The search for the next delimiter goes on where the last
 * one ended, so every byte is looked at once.
 */
#include "server/http/multipart.h"

#include "server/base/utf8.h"
#include "server/http/base64.h"
#include "server/http/parameter.h"
#include "server/http/part.h"

#include <string.h>

enum {
    MAX_BOUNDARY = 200,
    MAX_IGNORED = 65536, /* bytes before the first and after the last part */
    FIRST_CAPACITY = 8
};

struct parser {
    struct arena *arena;
    const struct form_limits *limits;
    struct text delimiter; /* CRLF "--" boundary */
    struct text body;
    size_t position; /* behind the last delimiter */
    bool is_last;    /* the last delimiter was the closing one */
    struct form form;
    size_t part_count;      /* with a name or without */
    size_t file_part_count; /* duplicates too */
    size_t field_capacity;
    size_t file_capacity;
};

static bool is_legal_boundary(struct text boundary);
static struct text delimiter_of(struct arena *arena, struct text boundary);
static bool skip_preamble(struct parser *parser);
static bool end_delimiter_line(struct parser *parser);
static enum form_status parse_part(struct parser *parser);
static bool find_delimiter(const struct parser *parser, size_t from,
                           size_t *ret_position);
static enum form_status keep_part(struct parser *parser,
                                  const struct part *part, struct text content);
static enum form_status add_file(struct parser *parser, const struct part *part,
                                 struct text content);
static enum form_status add_field(struct parser *parser, struct text name,
                                  struct text content);
static void *grown(struct arena *arena, const void *items, size_t count,
                   size_t item_size, size_t *capacity);

bool multipart_boundary(struct arena *arena, struct text content_type,
                        struct text *ret_boundary)
{
    struct text boundary;

    if (!text_equal_ignoring_case(parameter_head(content_type),
                                  "multipart/form-data") ||
        parameter_get(arena, content_type, "boundary", &boundary) !=
            PARAMETER_OK ||
        !is_legal_boundary(boundary))
        return false;
    *ret_boundary = boundary;
    return true;
}

enum form_status multipart_parse(struct arena *arena, struct text boundary,
                                 struct text body,
                                 const struct form_limits *limits,
                                 struct form *ret_form)
{
    struct parser parser = {
        .arena = arena,
        .limits = limits,
        .delimiter = delimiter_of(arena, boundary),
        .body = body,
    };

    if (text_is_absent(body) || !skip_preamble(&parser) ||
        !end_delimiter_line(&parser))
        return FORM_MALFORMED;
    while (!parser.is_last) {
        enum form_status status = FORM_TOO_MANY;

        if (parser.part_count++ < limits->max_fields + limits->max_files)
            status = parse_part(&parser);
        if (status != FORM_OK)
            return status;
    }
    if (body.size - parser.position > MAX_IGNORED)
        return FORM_MALFORMED;
    *ret_form = parser.form;
    return FORM_OK;
}

/* Printable ASCII that does not end in a blank: what Django takes. */
static bool is_legal_boundary(struct text boundary)
{
    if (boundary.size == 0 || boundary.size > MAX_BOUNDARY ||
        boundary.data[boundary.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < boundary.size; i++)
        if (boundary.data[i] < ' ' || boundary.data[i] > '~')
            return false;
    return true;
}

static struct text delimiter_of(struct arena *arena, struct text boundary)
{
    char *delimiter = arena_alloc(arena, boundary.size + 5);

    memcpy(delimiter, "\r\n--", 4);
    memcpy(delimiter + 4, boundary.data, boundary.size);
    delimiter[4 + boundary.size] = '\0';
    return (struct text){delimiter, 4 + boundary.size};
}

/* To behind the first delimiter, which needs no CRLF at the very start. */
static bool skip_preamble(struct parser *parser)
{
    size_t start;

    if (text_starts_with(parser->body, parser->delimiter.data + 2)) {
        parser->position = parser->delimiter.size - 2;
        return true;
    }
    if (!find_delimiter(parser, 0, &start) || start > MAX_IGNORED)
        return false;
    parser->position = start + parser->delimiter.size;
    return true;
}

/*
 * From behind a boundary to the next line. What is neither a delimiter nor
 * surely data (the boundary with something glued to it) is refused: other
 * readers would cut there.
 */
static bool end_delimiter_line(struct parser *parser)
{
    struct text body = parser->body;
    size_t position = parser->position;

    parser->is_last =
        body.size - position >= 2 && memcmp(body.data + position, "--", 2) == 0;
    if (parser->is_last)
        position += 2;
    while (position < body.size &&
           (body.data[position] == ' ' || body.data[position] == '\t'))
        position++;
    if (parser->is_last && position == body.size) {
        parser->position = position;
        return true;
    }
    if (body.size - position < 2 ||
        memcmp(body.data + position, "\r\n", 2) != 0)
        return false;
    parser->position = position + 2;
    return true;
}

/*
 * From the first byte of a part to behind the next delimiter line. The CRLF
 * before us may be that delimiter's own, and the CRLF of the blank line too.
 */
static enum form_status parse_part(struct parser *parser)
{
    struct text body = parser->body;
    size_t start = parser->position;
    size_t end;
    const char *blank;
    struct text content;
    struct part part;

    if (!find_delimiter(parser, start - 2, &end))
        return FORM_MALFORMED;
    parser->position = end + parser->delimiter.size;
    if (!end_delimiter_line(parser))
        return FORM_MALFORMED;
    if (end <= start || memcmp(body.data + start, "\r\n", 2) == 0)
        return FORM_OK; /* no header, so no name */
    blank = memmem(body.data + start, end + 2 - start, "\r\n\r\n", 4);
    if (blank == NULL ||
        !part_parse_header(
            parser->arena,
            (struct text){body.data + start,
                          (size_t)(blank + 2 - body.data) - start},
            &part))
        return FORM_MALFORMED;
    content = (struct text){blank + 4, 0};
    if (content.data < body.data + end)
        content.size = (size_t)(body.data + end - content.data);
    return keep_part(parser, &part, content);
}

static bool find_delimiter(const struct parser *parser, size_t from,
                           size_t *ret_position)
{
    const char *found =
        memmem(parser->body.data + from, parser->body.size - from,
               parser->delimiter.data, parser->delimiter.size);

    if (found == NULL)
        return false;
    *ret_position = (size_t)(found - parser->body.data);
    return true;
}

static enum form_status keep_part(struct parser *parser,
                                  const struct part *part, struct text content)
{
    if (text_is_absent(part->name))
        return FORM_OK;
    if (part->is_base64 &&
        !base64_decode_lines(parser->arena, content, &content))
        return FORM_MALFORMED;
    if (!text_is_absent(part->file_name))
        return add_file(parser, part, content);
    return add_field(parser, part->name, content);
}

/* The last of one name wins, in the place of the first. */
static enum form_status add_file(struct parser *parser, const struct part *part,
                                 struct text content)
{
    struct form *form = &parser->form;
    const struct form_file file = {
        .name = part->name,
        .file_name = part->file_name,
        .content = content,
    };

    if (part->name.size == 0)
        return FORM_MALFORMED;
    if (parser->file_part_count++ == parser->limits->max_files)
        return FORM_TOO_MANY;
    for (size_t i = 0; i < form->file_count; i++)
        if (text_equal(form->files[i].name, file.name)) {
            form->files[i] = file;
            return FORM_OK;
        }
    form->files = grown(parser->arena, form->files, form->file_count,
                        sizeof *form->files, &parser->file_capacity);
    form->files[form->file_count++] = file;
    return FORM_OK;
}

static enum form_status add_field(struct parser *parser, struct text name,
                                  struct text content)
{
    struct form *form = &parser->form;

    if (form->field_count == parser->limits->max_fields)
        return FORM_TOO_MANY;
    form->fields = grown(parser->arena, form->fields, form->field_count,
                         sizeof *form->fields, &parser->field_capacity);
    form->fields[form->field_count++] = (struct form_field){
        .name = name,
        .value = utf8_repair(parser->arena, content),
    };
    return FORM_OK;
}

/* Room for one more item; the old array stays behind in the arena. */
static void *grown(struct arena *arena, const void *items, size_t count,
                   size_t item_size, size_t *capacity)
{
    void *larger;

    if (count < *capacity)
        return (void *)(uintptr_t)items;
    *capacity = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
    larger = arena_alloc(arena, *capacity * item_size);
    if (count > 0)
        memcpy(larger, items, count * item_size);
    return larger;
}

/*
 * Forms: the first line is a content type, the rest a body; and all of it a
 * query string. Promises: names and values are valid UTF-8 (what a file holds
 * excepted), not larger than repair can make them, and within the limits.
 */
#include "server/base/utf8.h"
#include "server/http/form.h"
#include "tests/fuzz/fuzz.h"

static const struct form_limits limits = {.max_fields = 20, .max_files = 5};

static void check_form(const struct form *form, struct text source)
{
    size_t size = 0;

    PROMISE(form->field_count <= limits.max_fields);
    PROMISE(form->file_count <= limits.max_files);
    for (size_t i = 0; i < form->field_count; i++) {
        const struct form_field *field = &form->fields[i];

        PROMISE(utf8_is_valid(field->name) && utf8_is_valid(field->value));
        size += field->name.size + field->value.size;
    }
    for (size_t i = 0; i < form->file_count; i++) {
        const struct form_file *file = &form->files[i];
        volatile char last;

        PROMISE(utf8_is_valid(file->name) && utf8_is_valid(file->file_name));
        size += file->content.size;
        if (file->content.size > 0)
            last = file->content.data[file->content.size - 1];
        (void)last;
    }
    PROMISE(size <= 3 * source.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text input = {(const char *)data, size};
    struct text body;
    struct text content_type = first_line(input, &body);
    struct form form;

    if (form_parse_urlencoded(arena, input, &limits, &form) == FORM_OK) {
        check_form(&form, input);
        PROMISE(form.file_count == 0);
    }
    if (form_parse_body(arena, content_type, body, &limits, &form) == FORM_OK)
        check_form(&form, body);
    arena_free(arena);
    return 0;
}

/*
 * multipart/form-data with the boundary "b". Promises: what is neither
 * repaired nor decoded lies inside the body; values do not contain the
 * delimiter; no two files have one name, and none has an empty one; a body
 * that is cut off before its last delimiter is refused.
 */
#include "server/base/utf8.h"
#include "server/http/multipart.h"
#include "tests/fuzz/fuzz.h"

static const struct form_limits limits = {.max_fields = 20, .max_files = 5};

static void check_form(const struct form *form, struct text body)
{
    size_t size = 0;

    PROMISE(form->field_count <= limits.max_fields);
    PROMISE(form->file_count <= limits.max_files);
    for (size_t i = 0; i < form->field_count; i++) {
        struct text value = form->fields[i].value;

        PROMISE(utf8_is_valid(form->fields[i].name));
        PROMISE(utf8_is_valid(value));
        size += value.size;
        if (is_inside(value, body))
            PROMISE(value.size < 5 ||
                    memmem(value.data, value.size, "\r\n--b", 5) == NULL);
    }
    for (size_t i = 0; i < form->file_count; i++) {
        struct text file_name = form->files[i].file_name;

        size += form->files[i].content.size;
        PROMISE(utf8_is_valid(form->files[i].name));
        PROMISE(form->files[i].name.size > 0);
        for (size_t j = 0; j < i; j++)
            PROMISE(!text_equal(form->files[i].name, form->files[j].name));
        PROMISE(utf8_is_valid(file_name) && utf8_length(file_name) <= 255);
        PROMISE(file_name.size == 0 ||
                (memchr(file_name.data, '/', file_name.size) == NULL &&
                 memchr(file_name.data, '\\', file_name.size) == NULL &&
                 memchr(file_name.data, '\0', file_name.size) == NULL));
    }
    PROMISE(size <= 3 * body.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text body = {(const char *)data, size};
    struct text boundary;
    struct form form;

    if (multipart_parse(arena, text_of("b"), body, &limits, &form) == FORM_OK) {
        const char *end = memmem(data, size, "--b--", 5);

        PROMISE(end != NULL);
        check_form(&form, body);
        body.size = (size_t)(end - body.data) + 4;
        PROMISE(multipart_parse(arena, text_of("b"), body, &limits, &form) !=
                FORM_OK);
        body.size = size;
    }
    if (multipart_boundary(arena, body, &boundary))
        PROMISE(boundary.size >= 1 && boundary.size <= 200 &&
                utf8_is_valid(boundary));
    arena_free(arena);
    return 0;
}

/*
 * JSON in and out, and UTF-8 under it. Promises: what is repaired is valid;
 * an object that is valid is parsed; what is written is valid again and reads
 * back as the same bytes.
 */
#include "server/base/json.h"
#include "server/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check_utf8(struct arena *arena, struct text input)
{
    struct text repaired = utf8_repair(arena, input);
    struct text prefix = utf8_prefix(repaired, repaired.size / 2);
    size_t position = 0;
    size_t count = 0;

    PROMISE(utf8_is_valid(repaired));
    PROMISE(utf8_is_valid(input) == (repaired.data == input.data));
    PROMISE(utf8_is_valid(prefix));
    PROMISE(utf8_length(prefix) <= repaired.size / 2);
    while (position < repaired.size) {
        PROMISE(utf8_next(repaired, &position) <= 0x10FFFF);
        count++;
    }
    PROMISE(position == repaired.size && count == utf8_length(repaired));
}

/* Also of texts that are not valid, which must do no harm. */
static void check_writer(struct arena *arena, struct text input)
{
    struct buffer buffer = {NULL, 0, 0};
    const struct json_value *object;

    buffer_append_string(&buffer, "{\"k\":");
    json_append_string(&buffer, input);
    buffer_append_char(&buffer, '}');
    PROMISE(json_parse_object(arena, buffer_text(&buffer), &object));
    if (utf8_is_valid(input))
        PROMISE(text_equal(json_text(json_get(object, "k")), input));
    buffer_free(&buffer);
}

static void check_parser(struct arena *arena, struct text input)
{
    const struct json_value *object;
    const struct json_value *value;
    int64_t number;

    if (!json_parse_object(arena, input, &object)) {
        struct buffer wrapped = {NULL, 0, 0};
        bool is_valid = json_is_valid(input);

        if (is_valid) {
            buffer_append_string(&wrapped, "{\"k\":");
            buffer_append_text(&wrapped, input);
            buffer_append_char(&wrapped, '}');
            /* One level more may be one too many. */
            if (json_is_valid(buffer_text(&wrapped)))
                PROMISE(
                    json_parse_object(arena, buffer_text(&wrapped), &object));
            else
                is_valid = false;
        }
        buffer_free(&wrapped);
        if (!is_valid)
            return;
    }
    PROMISE(json_kind(object) == JSON_OBJECT);
    PROMISE(json_as_python_text(arena, object).size >= 2);
    value = json_get(object, "k");
    if (value != NULL) {
        struct text text = json_as_python_text(arena, value);

        PROMISE(text_is_absent(json_text(value)) ==
                (json_kind(value) != JSON_STRING));
        if (json_integer(value, &number))
            PROMISE(json_kind(value) == JSON_INTEGER && text.size > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text input = {(const char *)data, size};

    check_utf8(arena, input);
    check_writer(arena, input);
    check_parser(arena, input);
    arena_free(arena);
    return 0;
}

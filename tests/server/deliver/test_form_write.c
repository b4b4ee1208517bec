#include "server/deliver/form_write.h"

#include "server/base/arena.h"
#include "server/http/form.h"
#include "tests/support/story.h"

#include <string.h>

static struct buffer form;

static const char *written(struct text value)
{
    buffer_free(&form);
    form = (struct buffer){NULL, 0, 0};
    form_write_field(&form, "a", value);
    return form.data;
}

START_TEST(what_is_plain_stays)
{
    ck_assert_str_eq(written(text_of("AZaz09_.-~")), "a=AZaz09_.-~");
    ck_assert_str_eq(written(text_of("")), "a=");
    buffer_free(&form);
}
END_TEST

START_TEST(a_space_is_a_plus_and_a_plus_is_escaped)
{
    ck_assert_str_eq(written(text_of("a b+c")), "a=a+b%2Bc");
    buffer_free(&form);
}
END_TEST

START_TEST(all_else_is_escaped_in_capitals)
{
    ck_assert_str_eq(written(text_of("\"&=%/é\n")),
                     "a=%22%26%3D%25%2F%C3%A9%0A");
    ck_assert_str_eq(written((struct text){"\0\xFF", 2}), "a=%00%FF");
    buffer_free(&form);
}
END_TEST

START_TEST(fields_are_joined)
{
    written(text_of("1"));
    form_write_field(&form, "b", text_of("2"));
    ck_assert_str_eq(form.data, "a=1&b=2");
    buffer_free(&form);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    const struct form_limits limits = {.max_fields = 10};
    struct arena *arena = arena_new();
    struct form read;
    char all[127];

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i + 1);
    written((struct text){all, sizeof all});
    ck_assert_int_eq(
        form_parse_urlencoded(arena, buffer_text(&form), &limits, &read),
        FORM_OK);
    ck_assert_uint_eq(form_get(&read, "a").size, sizeof all);
    ck_assert_mem_eq(form_get(&read, "a").data, all, sizeof all);
    buffer_free(&form);
    arena_free(arena);
}
END_TEST

STORY("writing forms", TELL(what_is_plain_stays),
      TELL(a_space_is_a_plus_and_a_plus_is_escaped),
      TELL(all_else_is_escaped_in_capitals), TELL(fields_are_joined),
      TELL(what_is_written_is_read_back))

/*
 * A grader's reply: the first line is the Content-Type, the rest what it
 * said. Promises: the text is valid UTF-8 and at most four times as long; what
 * is valid and without a charset, or with that of UTF-8, is kept.
 */
#include "server/base/utf8.h"
#include "server/deliver/grader_reply.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text bytes;
    struct text type =
        first_line((struct text){(const char *)data, size}, &bytes);
    struct text result =
        grader_reply_text(arena, bytes, arena_string(arena, type));

    PROMISE(!text_is_absent(result));
    PROMISE(utf8_is_valid(result));
    PROMISE(result.size <= 4 * bytes.size);
    if (utf8_is_valid(bytes)) {
        PROMISE(text_equal(grader_reply_text(arena, bytes, NULL), bytes));
        PROMISE(text_equal(
            grader_reply_text(arena, bytes, "text/html; charset=utf-8"),
            bytes));
    }
    arena_free(arena);
    return 0;
}

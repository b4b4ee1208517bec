/*
 * What S3 says. Promises: a page has an age and a name for each object, and
 * is refused or accepted once and for all; a code is a word.
 */
#include "server/storage/s3_xml.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct text xml = {(const char *)data, size};
    struct arena *arena = arena_new();
    struct s3_page page;
    struct s3_page again;
    char code[S3_CODE_SIZE];

    if (s3_xml_page(xml, arena, &page)) {
        PROMISE(page.count <= size / 20);
        for (size_t i = 0; i < page.count; i++) {
            PROMISE(!text_is_absent(page.objects[i].name));
            PROMISE(page.objects[i].modified_us >= 0);
        }
        PROMISE(text_is_absent(page.token) || page.token.size > 0);
        PROMISE(s3_xml_page(xml, arena, &again) && again.count == page.count);
    }
    s3_xml_error_code(xml, code);
    PROMISE(memchr(code, '\0', sizeof code) != NULL);
    for (const char *c = code; *c != '\0'; c++)
        PROMISE(isalnum((unsigned char)*c));
    arena_free(arena);
    return 0;
}

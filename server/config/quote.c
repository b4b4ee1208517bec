/*
 * Foreign text in a message of one line.
 */
#include "server/config/quote.h"

#include "server/base/buffer.h"

enum { LONGEST = 100 };

static void append_escaped(struct buffer *buffer, struct text text);

char *quote_text(struct text text)
{
    struct buffer buffer = {NULL, 0, 0};

    buffer_append_char(&buffer, '"');
    append_escaped(&buffer, text);
    buffer_append_char(&buffer, '"');
    return buffer.data;
}

char *quote_name(struct text text)
{
    struct buffer buffer = {NULL, 0, 0};

    append_escaped(&buffer, text);
    return buffer.data;
}

static void append_escaped(struct buffer *buffer, struct text text)
{
    size_t i;

    buffer_append_string(buffer, "");
    for (i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (i >= LONGEST && (byte & 0xC0) != 0x80)
            break; /* between two characters, not inside one */
        if (byte < 0x20 || byte == 0x7F)
            buffer_printf(buffer, "\\x%02x", byte);
        else
            buffer_append_char(buffer, (char)byte);
    }
    if (i < text.size)
        buffer_append_string(buffer, "...");
}

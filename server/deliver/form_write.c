/*
 * A form body as Python's urlencode writes it: letters, digits and "_.-~" as
 * they are, a space as '+', every other byte as %XX.
 */
#include "server/deliver/form_write.h"

static bool stays(char byte);

void form_write_field(struct buffer *form, const char *name, struct text value)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t done = 0;

    if (form->size > 0)
        buffer_append_char(form, '&');
    buffer_append_string(form, name);
    buffer_append_char(form, '=');
    buffer_reserve(form, value.size + value.size / 2);
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if (stays(value.data[i]))
            continue;
        buffer_append(form, value.data + done, i - done);
        done = i + 1;
        if (byte == ' ')
            buffer_append_char(form, '+');
        else
            buffer_append(
                form, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
    }
    if (done < value.size)
        buffer_append(form, value.data + done, value.size - done);
}

static bool stays(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' ||
           byte == '-' || byte == '~';
}

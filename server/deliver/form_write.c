/*
 * A form body as Python's urlencode writes it: letters, digits and "_.-~" as
 * they are, a space as '+', every other byte as %XX.
 */
#include "server/deliver/form_write.h"

#include <ctype.h>
#include <string.h>

void form_write_field(struct buffer *form, const char *name, struct text value)
{
    static const char digits[] = "0123456789ABCDEF";

    if (form->size > 0)
        buffer_append_char(form, '&');
    buffer_append_string(form, name);
    buffer_append_char(form, '=');
    buffer_reserve(form, value.size + value.size / 2);
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if (byte < 0x80 &&
            (isalnum(byte) || (byte != '\0' && strchr("_.-~", byte) != NULL)))
            buffer_append_char(form, (char)byte);
        else if (byte == ' ')
            buffer_append_char(form, '+');
        else
            buffer_append(
                form, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
    }
}

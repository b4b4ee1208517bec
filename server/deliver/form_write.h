/*
 * A form body as Python's urlencode writes it.
 */
#ifndef XQUEUE_DELIVER_FORM_WRITE_H
#define XQUEUE_DELIVER_FORM_WRITE_H

#include "server/base/buffer.h"

/* "name=value", after an '&' when the buffer holds fields already. */
void form_write_field(struct buffer *form, const char *name, struct text value);

#endif

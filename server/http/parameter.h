/*
 * Fields of the shape `value; name=value; name="quoted value"`: Content-Type
 * and Content-Disposition. Pure.
 */
#ifndef XQUEUE_HTTP_PARAMETER_H
#define XQUEUE_HTTP_PARAMETER_H

#include "server/base/arena.h"

enum parameter_status {
    PARAMETER_OK,
    PARAMETER_NONE,     /* the field has no parameter of that name */
    PARAMETER_AMBIGUOUS /* it has two, or a quote that never ends */
};

/* What is before the first semicolon, trimmed; absent if `field` is. */
struct text parameter_head(struct text field);

/*
 * The value of the parameter `name` (in any case). In a quoted one, \" is "
 * and \\ is \; any other backslash stands for itself, as browsers mean it.
 * Borrows from `field` or lives in the arena.
 */
enum parameter_status parameter_get(struct arena *arena, struct text field,
                                    const char *name,
                                    struct text *ret_value) MUST_CHECK;

#endif

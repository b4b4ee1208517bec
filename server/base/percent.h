/*
 * Percent-decoding, as Python's unquote does it: two hexadecimal digits after
 * a '%' are a byte, any other '%' stands for itself. Pure.
 */
#ifndef XQUEUE_BASE_PERCENT_H
#define XQUEUE_BASE_PERCENT_H

#include "server/base/arena.h"

enum percent_plus { PERCENT_PLUS_STAYS, PERCENT_PLUS_IS_SPACE };

/* Decoded, bad UTF-8 repaired; always in the arena. */
struct text percent_decode(struct arena *arena, struct text text,
                           enum percent_plus plus);

#endif

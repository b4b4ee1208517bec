/*
 * Base64 as MIME bodies hold it: in lines, of any length. Pure. For a short
 * text in one piece there is crypto_base64_decode().
 */
#ifndef XQUEUE_HTTP_BASE64_H
#define XQUEUE_HTTP_BASE64_H

#include "server/base/arena.h"

/* False when something other than blanks and whole base64 groups is there. */
bool base64_decode_lines(struct arena *arena, struct text lines,
                         struct text *ret_bytes) MUST_CHECK;

#endif

/*
 * One part of a multipart/form-data body: its header block. Pure.
 */
#ifndef XQUEUE_HTTP_PART_H
#define XQUEUE_HTTP_PART_H

#include "server/base/arena.h"

struct part {
    struct text name;      /* absent: not a form field, skip it; no blanks */
    struct text file_name; /* absent: not a file; else without any path */
    bool is_base64;
};

/*
 * The lines between the delimiter and the blank line, the last one still with
 * its CRLF. False when they are too many, too long or ambiguous.
 */
bool part_parse_header(struct arena *arena, struct text lines,
                       struct part *ret_part) MUST_CHECK;

#endif

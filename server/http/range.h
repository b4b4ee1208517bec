/*
 * The Range request field (RFC 9110, section 14): which part of a file a
 * client wants. Pure.
 *
 * One range of bytes is understood. Several, other units and whatever is no
 * range are ignored, as the standard allows, and so is every range that hangs
 * on an If-Range. Only GET has ranges: for HEAD do not ask.
 */
#ifndef XQUEUE_HTTP_RANGE_H
#define XQUEUE_HTTP_RANGE_H

#include "server/base/arena.h"

enum range_status {
    RANGE_ALL,   /* 200: send the whole file */
    RANGE_PART,  /* 206 with Content-Range */
    RANGE_BEYOND /* 416 with Content-Range: the file does not reach so far */
};

struct range {
    uint64_t first;
    uint64_t size; /* bytes, at least one */
};

/*
 * `field` and `if_range` as they came, or absent; `size` of the whole file.
 * *ret_range is written for RANGE_PART only.
 */
enum range_status range_choose(struct text field, struct text if_range,
                               uint64_t size,
                               struct range *ret_range) MUST_CHECK;

/* The value of Content-Range: "bytes 0-99/1234"; for 416 with a star. */
const char *range_format(struct arena *arena, const struct range *range,
                         uint64_t size);
const char *range_format_beyond(struct arena *arena, uint64_t size);

#endif

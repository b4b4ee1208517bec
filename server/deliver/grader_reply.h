/*
 * What a passive grader has said, as text. Pure but for iconv, which may read
 * files: a database thread, not the loop.
 */
#ifndef XQUEUE_DELIVER_GRADER_REPLY_H
#define XQUEUE_DELIVER_GRADER_REPLY_H

#include "server/base/arena.h"

/*
 * `bytes` as valid UTF-8: at most four times as long, borrowed from `bytes`
 * or in the arena.
 *
 *   declared UTF-8       byte for byte; what is invalid is U+FFFD
 *   another charset      converted; what is invalid is U+FFFD
 *   none, or unknown     byte for byte when that is valid UTF-8, or else it
 *                        is ISO-8859-1, as python-requests takes text to be
 *
 * A byte order mark of UTF-8 is kept. `content_type` is the header's value;
 * NULL when there was none.
 */
struct text grader_reply_text(struct arena *arena, struct text bytes,
                              const char *content_type);

#endif

/*
 * Watches the raw bytes of a request head as they arrive, for what evhttp
 * swallows without a word: NUL, a bare LF or CR, folded lines, sloppy
 * versions (HTTP/+1.+1) and heads without end.
 *
 * Embedded in its connection. The outcome does not depend on how the bytes
 * are split. One thread.
 */
#ifndef XQUEUE_HTTP_HEAD_WATCH_H
#define XQUEUE_HTTP_HEAD_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum head_state {
    HEAD_WAITING,  /* before the first byte; one empty line may come first */
    HEAD_READING,  /* inside the request line or the fields */
    HEAD_COMPLETE, /* the blank line has been seen */
    HEAD_BAD       /* to be refused: see head_watch_refusal() */
};

struct head_refusal {
    int status;         /* 400, 414 or 431 */
    const char *reason; /* constant */
};

struct head_watch {
    enum head_state state;
    size_t limit;  /* bytes of a head, the blank line included */
    size_t size;   /* of the head so far */
    size_t column; /* bytes of the current line so far, without CR */
    uint64_t last; /* the last eight bytes of the request line */
    bool after_cr;
    bool in_fields; /* the request line has ended */
    bool had_blank; /* the empty line before the request */
    struct head_refusal refusal;
};

/* Ready for the first request of a connection. */
void head_watch_init(struct head_watch *watch, size_t limit);

/* Ready for the next request. */
void head_watch_reset(struct head_watch *watch);

/*
 * Look at the next bytes. *ret_consumed is how many of them belong to the
 * head: fewer than `size` only when it ends, or goes wrong, before them; then
 * the rest is not looked at.
 */
enum head_state head_watch_feed(struct head_watch *watch, const void *bytes,
                                size_t size, size_t *ret_consumed);

/* Why the head is bad; only when it is. */
struct head_refusal head_watch_refusal(const struct head_watch *watch);

#endif

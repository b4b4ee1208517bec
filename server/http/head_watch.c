/*
 * The watcher of request heads: an automaton that takes one byte at a time.
 */
#include "server/http/head_watch.h"

static size_t skip_text(struct head_watch *watch, const unsigned char *bytes,
                        size_t size);
static void take_byte(struct head_watch *watch, unsigned char byte);
static void take_line_end(struct head_watch *watch);
static void take_text(struct head_watch *watch, unsigned char byte);
static bool is_version(uint64_t last);
static void refuse(struct head_watch *watch, int status, const char *reason);

void head_watch_init(struct head_watch *watch, size_t limit)
{
    *watch = (struct head_watch){.state = HEAD_WAITING, .limit = limit};
}

void head_watch_reset(struct head_watch *watch)
{
    head_watch_init(watch, watch->limit);
}

enum head_state head_watch_feed(struct head_watch *watch, const void *bytes,
                                size_t size, size_t *ret_consumed)
{
    const unsigned char *byte = bytes;
    size_t consumed = 0;

    while (consumed < size && watch->state != HEAD_COMPLETE &&
           watch->state != HEAD_BAD) {
        consumed += skip_text(watch, byte + consumed, size - consumed);
        if (consumed == size)
            break;
        take_byte(watch, byte[consumed]);
        if (watch->state != HEAD_BAD)
            consumed++;
    }
    *ret_consumed = consumed;
    return watch->state;
}

struct head_refusal head_watch_refusal(const struct head_watch *watch)
{
    return watch->refusal;
}

/*
 * Most of a head is the inside of fields, where nothing changes the state but
 * a control character: how many bytes came before one, or before the limit.
 */
static size_t skip_text(struct head_watch *watch, const unsigned char *bytes,
                        size_t size)
{
    const size_t left = watch->limit - watch->size;
    const size_t most = size < left ? size : left;
    size_t skipped = 0;

    if (!watch->in_fields || watch->column == 0 || watch->after_cr)
        return 0;
    while (skipped < most && bytes[skipped] >= ' ')
        skipped++;
    watch->size += skipped;
    watch->column += skipped;
    return skipped;
}

static void take_byte(struct head_watch *watch, unsigned char byte)
{
    if (watch->size == watch->limit) {
        refuse(watch, watch->in_fields ? 431 : 414,
               watch->in_fields ? "Request fields too large"
                                : "Request target too long");
        return;
    }
    watch->size++;
    if (watch->after_cr != (byte == '\n'))
        refuse(watch, 400,
               watch->after_cr ? "Bare CR in request head"
                               : "Bare LF in request head");
    else if (byte == '\n')
        take_line_end(watch);
    else if (byte == '\r')
        watch->after_cr = true;
    else
        take_text(watch, byte);
}

static void take_line_end(struct head_watch *watch)
{
    bool is_blank = watch->column == 0;

    watch->after_cr = false;
    watch->column = 0;
    if (is_blank && watch->in_fields)
        watch->state = HEAD_COMPLETE;
    else if (is_blank && watch->had_blank)
        refuse(watch, 400, "Empty lines before the request");
    else if (is_blank)
        watch->had_blank = true;
    else if (!watch->in_fields && !is_version(watch->last))
        refuse(watch, 400, "Malformed HTTP version");
    else
        watch->in_fields = true;
}

static void take_text(struct head_watch *watch, unsigned char byte)
{
    if (byte == '\0') {
        refuse(watch, 400, "NUL in request head");
        return;
    }
    if (watch->column == 0 && (byte == ' ' || byte == '\t')) {
        refuse(watch, 400, "Folded line in request head");
        return;
    }
    watch->state = HEAD_READING;
    watch->column++;
    if (!watch->in_fields)
        watch->last = watch->last << 8 | byte;
}

/* "HTTP/" digit "." digit; evhttp takes signs and several digits too. */
static bool is_version(uint64_t last)
{
    unsigned major = last >> 16 & 0xFF;
    unsigned minor = last & 0xFF;

    return last >> 24 == UINT64_C(0x485454502F) /* HTTP/ */ &&
           (last >> 8 & 0xFF) == '.' && major >= '0' && major <= '9' &&
           minor >= '0' && minor <= '9';
}

static void refuse(struct head_watch *watch, int status, const char *reason)
{
    watch->state = HEAD_BAD;
    watch->refusal = (struct head_refusal){status, reason};
}

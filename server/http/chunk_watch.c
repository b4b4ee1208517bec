/*
 * One state per place in a chunk; every byte moves it or makes it wrong.
 */
#include "server/http/chunk_watch.h"

#include "server/base/text.h"

enum { MAX_DIGITS = 15 }; /* so that a size never overflows */

static size_t skip_data(struct chunk_watch *watch, size_t size);
static void take_byte(struct chunk_watch *watch, char byte);
static void take_size(struct chunk_watch *watch, char byte);
static void expect(struct chunk_watch *watch, char byte, char expected,
                   enum chunk_watch_state next);

void chunk_watch_start(struct chunk_watch *watch)
{
    *watch = (struct chunk_watch){.state = CHUNK_WATCH_SIZE};
}

void chunk_watch_feed(struct chunk_watch *watch, const char *data, size_t size)
{
    size_t at = 0;

    while (at < size && watch->state != CHUNK_WATCH_WHOLE &&
           watch->state != CHUNK_WATCH_WRONG) {
        if (watch->state == CHUNK_WATCH_DATA)
            at += skip_data(watch, size - at);
        else
            take_byte(watch, data[at++]);
    }
}

bool chunk_watch_is_whole(const struct chunk_watch *watch)
{
    return watch->state == CHUNK_WATCH_WHOLE;
}

static size_t skip_data(struct chunk_watch *watch, size_t size)
{
    const size_t skipped = watch->left < size ? (size_t)watch->left : size;

    watch->left -= skipped;
    if (watch->left == 0)
        watch->state = CHUNK_WATCH_DATA_CR;
    return skipped;
}

static void take_byte(struct chunk_watch *watch, char byte)
{
    switch (watch->state) {
    case CHUNK_WATCH_SIZE:
        take_size(watch, byte);
        break;
    case CHUNK_WATCH_SIZE_LF:
        expect(watch, byte, '\n',
               watch->left > 0 ? CHUNK_WATCH_DATA : CHUNK_WATCH_END_CR);
        break;
    case CHUNK_WATCH_DATA_CR:
        expect(watch, byte, '\r', CHUNK_WATCH_DATA_LF);
        break;
    case CHUNK_WATCH_DATA_LF:
        expect(watch, byte, '\n', CHUNK_WATCH_SIZE);
        watch->digits = 0;
        break;
    case CHUNK_WATCH_END_CR:
        expect(watch, byte, '\r', CHUNK_WATCH_END_LF);
        break;
    case CHUNK_WATCH_END_LF:
        expect(watch, byte, '\n', CHUNK_WATCH_WHOLE);
        break;
    case CHUNK_WATCH_DATA:
    case CHUNK_WATCH_WHOLE:
    case CHUNK_WATCH_WRONG:
        break;
    }
}

static void take_size(struct chunk_watch *watch, char byte)
{
    const int digit = text_hex_digit(byte);

    if (digit >= 0 && watch->digits < MAX_DIGITS) {
        watch->left = watch->left * 16 + (uint64_t)digit;
        watch->digits++;
        return;
    }
    if (byte == '\r' && watch->digits > 0)
        watch->state = CHUNK_WATCH_SIZE_LF;
    else
        watch->state = CHUNK_WATCH_WRONG;
}

static void expect(struct chunk_watch *watch, char byte, char expected,
                   enum chunk_watch_state next)
{
    watch->state = byte == expected ? next : CHUNK_WATCH_WRONG;
}

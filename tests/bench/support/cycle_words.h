/*
 * What an LMS and a grader send in a whole cycle, written as fast as bytes can
 * be copied, so that the load costs little. One thread.
 *
 * Submission NUMBER is called back at "/NUMBER" of the LMS.
 */
#ifndef XQUEUE_BENCH_CYCLE_WORDS_H
#define XQUEUE_BENCH_CYCLE_WORDS_H

#include "server/base/buffer.h"
#include "tests/bench/support/http_load.h"

#include <stdint.h>

struct cycle_words;

struct cycle_words_settings {
    const char *queue;
    const char *cookie; /* of a session; "" for none */
    uint16_t lms_port;
    size_t body_bytes;  /* of a submission, before it is encoded */
    size_t reply_bytes; /* of a result, likewise; a short one at least */
};

/* Copies the settings. */
struct cycle_words *
cycle_words_new(const struct cycle_words_settings *settings);
void cycle_words_free(struct cycle_words *words);

/* Whole requests, for http_load's `next`. */
void cycle_write_submit(const struct cycle_words *words, struct buffer *request,
                        int64_t number);
void cycle_write_pull(const struct cycle_words *words, struct buffer *request);

/* `header`: from cycle_read_pulled(). */
void cycle_write_result(const struct cycle_words *words, struct buffer *request,
                        const char *header);

/*
 * False when it is no submission. What it gives is the header to be sent back,
 * encoded already, of at most `size` bytes.
 */
bool cycle_read_pulled(struct text body, char *ret_header, size_t size);

/* What the server answers to a pull, with an id and a key of the usual size. */
void cycle_write_pulled(const struct cycle_words *words, struct buffer *json);

/* {"return_code": 0, ...} with status 200. */
bool cycle_is_good(const struct http_load_reply *reply);

/* The body of the callback that tells the result. */
void cycle_write_callback(const struct cycle_words *words, struct buffer *form,
                          int64_t number);

/* What a passive grader is sent of a submission. */
void cycle_write_push(const struct cycle_words *words, struct buffer *json);

#endif

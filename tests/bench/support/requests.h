/*
 * Requests of the LMS and of graders, byte for byte as Python's requests
 * writes them, for http_load.h. `cookie` is a session's; NULL or "": none.
 */
#ifndef XQUEUE_BENCH_REQUESTS_H
#define XQUEUE_BENCH_REQUESTS_H

#include "server/base/buffer.h"

void write_get(struct buffer *request, const char *path, const char *cookie);

/* `form` is encoded already. */
void write_post(struct buffer *request, const char *path, const char *cookie,
                struct text form);

/* What differs between two submissions. */
struct submission {
    const char *queue;
    const char *origin; /* of the LMS: "http://127.0.0.1:1" */
    int64_t number;     /* the path of the callback, and the key */
    struct text body;   /* letters and digits alone */
};

/* Of a submission of its own, that makes no other one obsolete. */
void write_submit(struct buffer *request, const char *cookie,
                  const struct submission *submission);

/*
 * The xqueue_header and the xqueue_body of a result, both plain: the header
 * as the pulled submission had it.
 */
void write_put_result(struct buffer *request, const char *cookie,
                      struct text header, struct text result);

/* Appends `text` as it stands in a form. */
void write_encoded(struct buffer *form, struct text text);

#endif

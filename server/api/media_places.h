/*
 * The places of those who are sent files: a limited number, as each takes
 * memory and an open file. Whoever comes when all are taken waits in line.
 *
 * While somebody waits, it is looked at how much each of the others takes.
 * Who takes next to nothing gives way to the first in line, the slowest one
 * first, and no more of them than there are in line: so clients that do not
 * read hold up nobody for long, and nobody is cut while there is room, or
 * while all are reading. Loop thread.
 */
#ifndef XQUEUE_API_MEDIA_PLACES_H
#define XQUEUE_API_MEDIA_PLACES_H

#include "server/http/server.h"
#include "server/task/task.h"

#include <sys/queue.h>

enum {
    MEDIA_PLACES = 64,
    MEDIA_LINE = 256,
    MEDIA_LOOK_MS = 2000,
    MEDIA_LEAST_BYTES = 32 * 1024, /* from one look to the next */
    MEDIA_PATIENCE_MS = 10000      /* in line, up to the next look */
};

enum media_place_state {
    MEDIA_PLACE_NONE, /* the house and the line are full, or it took too long */
    MEDIA_PLACE_IN_LINE,
    MEDIA_PLACE_TAKEN,
    MEDIA_PLACE_LOST /* to somebody else: say so and leave */
};

/* To be embedded. */
struct media_place {
    enum media_place_state state;
    struct http_stream *stream; /* NULL: nothing is sent so far */
    bool is_client_due;         /* a piece is on its way to the client */

    struct task *task; /* internal, like all below */
    int64_t since_ms;  /* in line */
    uint64_t bytes;    /* that the client had taken at the last look */
    bool was_seen;     /* then */
    TAILQ_ENTRY(media_place) entry;
};

struct media_places;

struct media_places *media_places_new(struct loop *loop);
void media_places_free(struct media_places *places); /* NULL is legal */

/*
 * `next` when there is a place, or there is none in time: see its state. A
 * task that has one, and waits for its client, may be resumed before the
 * client is done: with MEDIA_PLACE_LOST.
 */
enum step media_places_await(struct media_places *places, struct task *task,
                             struct media_place *place,
                             task_step *next) MUST_CHECK;

/* Whoever had a place, lost or not. */
void media_places_leave(struct media_places *places, struct media_place *place);

#endif

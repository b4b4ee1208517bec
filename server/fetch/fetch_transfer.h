/*
 * One fetch under way: its curl handle, what came of it so far, and the
 * watch over its silence. Only for fetch.c and its helpers. Loop thread.
 *
 * A transfer is one or more hops: the request, then one more for each
 * redirect that is followed.
 */
#ifndef XQUEUE_FETCH_FETCH_TRANSFER_H
#define XQUEUE_FETCH_FETCH_TRANSFER_H

#include "server/fetch/fetch.h"
#include "server/fetch/fetch_url.h"

#include <sys/queue.h>

struct event;

struct fetch_transfer {
    TAILQ_ENTRY(fetch_transfer) link; /* in one of the fetcher's lists */
    struct fetcher *fetcher;          /* borrows */
    struct fetch *fetch;              /* borrows */
    struct fetch_url url;             /* of this hop */
    bool is_post;                     /* false after some redirects */
    bool sends_password;              /* false after a redirect elsewhere */
    bool is_active;                   /* has had its turn */
    unsigned redirects;               /* followed so far */
    int64_t started_ms;               /* when its turn came */
    int64_t last_byte_ms;

    void *easy;               /* owns; a CURL; NULL while it waits */
    void *headers;            /* owns; a curl_slist */
    struct event *idle_timer; /* owns; NULL while it waits */
    void (*on_silence)(struct fetch_transfer *transfer);
    char *error; /* owns; curl's words on this hop */

    bool request_began; /* some hop may have sent a byte */
    bool was_silent;    /* idle_timeout_ms has passed without a byte */
    bool head_ended;    /* this hop's latest header block is complete */
    bool head_too_long;
    bool body_cut;
    unsigned sendings; /* of this hop's request */
    size_t head_bytes; /* of this hop */
    size_t body_bytes;
    unsigned addresses_refused; /* of this hop, by our policy */
    unsigned addresses_tried;
};

TAILQ_HEAD(fetch_transfers, fetch_transfer);

struct fetch_transfer *fetch_transfer_new(struct fetcher *fetcher,
                                          struct fetch *fetch);

/*
 * Its turn has come, and it has a handle that is as new: the clock starts.
 * `on_silence` is called from the event loop when no byte has moved for too
 * long.
 */
void fetch_transfer_begin(struct fetch_transfer *transfer,
                          struct event_base *base,
                          void (*on_silence)(struct fetch_transfer *));

/* Make the handle ready to request transfer->url. */
void fetch_transfer_prepare(struct fetch_transfer *transfer,
                            const char *user_agent);

/* Some byte went or came. */
void fetch_transfer_moved(struct fetch_transfer *transfer);

/* The hop is over: nobody waits for a byte until the next one. */
void fetch_transfer_rest(struct fetch_transfer *transfer);

/*
 * Where the answer to this hop sends us, if we are to follow: its Location, in
 * memory of the handle's, valid until the next prepare. Else NULL.
 */
const char *fetch_transfer_redirect(const struct fetch_transfer *transfer);

/* Take `url` for the next hop; adapts method and password. */
void fetch_transfer_follow(struct fetch_transfer *transfer,
                           struct fetch_url url);

/* What `result`, a CURLcode, means for the fetch, and why in fetch->reason. */
enum fetch_status fetch_transfer_judge(struct fetch_transfer *transfer,
                                       int result);

/* Copy code, type and Retry-After of the answer, if any, into the fetch. */
void fetch_transfer_record(struct fetch_transfer *transfer);

/* Lets go of the curl handle; its connection may serve another at once. */
void fetch_transfer_close(struct fetch_transfer *transfer);

void fetch_transfer_free(struct fetch_transfer *transfer);

#endif

/*
 * One outgoing HTTP request: libcurl's multi interface on our event loop. With
 * its helpers fetch_*.c the only user of curl. All functions: loop thread.
 *
 * What is sent is what python-requests would send, with exactly the headers
 * Host, User-Agent, Accept, Content-Length and, if asked for, Content-Type,
 * Authorization and the fetch's own. Environment proxies, netrc and cookies
 * play no part.
 */
#ifndef XQUEUE_FETCH_FETCH_H
#define XQUEUE_FETCH_FETCH_H

#include "server/base/buffer.h"
#include "server/base/compiler.h"
#include "server/base/text.h"

struct event_base;
struct fetcher;

enum fetch_status {
    /*
     * An answer came: see http_status. Its body may be cut off after
     * max_reply_bytes; without keep_reply it may also have broken off.
     */
    FETCH_DONE,
    FETCH_UNSENT,       /* no connection was made: nothing reached the peer */
    FETCH_BROKEN,       /* broke or timed out afterwards: outcome unknown */
    FETCH_REFUSED_URL,  /* not http/https, or not a URL: will never work */
    FETCH_REFUSED_HOST, /* the host or its address is not allowed */
    FETCH_CANCELED      /* fetcher_free() while it was under way */
};

const char *fetch_status_name(enum fetch_status status);

/*
 * Before the first fetcher, and after the last; pairs of them may nest. The
 * start makes the process ignore SIGPIPE.
 */
void fetch_library_start(void);
void fetch_library_stop(void);

struct fetcher_settings {
    size_t max_connections; /* at a time, the rest waits in order; 0: 256 */
    const char *user_agent; /* "XQueue/1.0" */
};

/*
 * Whom a fetch may talk to. Everything borrows until done. A kept connection
 * serves only fetches with the verify_tls and ca_file that it was made with.
 */
struct fetch_policy {
    bool verify_tls;
    const char *ca_file; /* these authorities only; NULL: the system's */
    /*
     * Hosts that may be called: exact names, or ".example.org" for all below
     * it. NULL or empty: all. Link-local and metadata addresses are refused
     * in any case, however they are spelt.
     */
    const char *const *allowed_hosts;
    size_t allowed_host_count;
    /*
     * Do not refuse these addresses: only for asking the machine itself who
     * it is, at a URL that no peer had a part in.
     */
    bool may_ask_metadata;
};

/*
 * Embedded in its owner's struct. Fill the first part, fetcher_start() it;
 * `done` runs exactly once, later, never inside fetcher_start(). Within it the
 * struct may be freed or started again.
 *
 * The times count from when the fetch leaves the queue that max_connections
 * makes; 0 means no limit (connect: curl's, 300 s). The deadline is a moment
 * of clock_monotonic_ms(): who has not left the queue by then is FETCH_UNSENT
 * when its turn comes.
 */
struct fetch {
    /*
     * Borrows until done. Path and query are sent as they are, except that
     * blanks, control characters and bytes beyond ASCII are percent-encoded.
     * With a user name in it, it is refused.
     */
    const char *url;
    /*
     * "PUT" with the body; "GET", "HEAD" or "DELETE" without; their redirects
     * are not followed. NULL: POST.
     */
    const char *method;
    /*
     * More headers, each "Name: value", up to a NULL; borrows until done. One
     * with a control character is refused as the URL would be. NULL: none.
     */
    const char *const *headers;
    struct text body;         /* borrows until done */
    const char *content_type; /* NULL: send no Content-Type at all */
    const char *username;     /* NULL: no basic auth */
    const char *password;
    struct fetch_policy policy;
    long connect_timeout_ms;
    long idle_timeout_ms; /* no byte for so long */
    long total_timeout_ms;
    int64_t deadline_ms;
    /*
     * On a connection of its own, closed afterwards: each request leaves once.
     * Otherwise a kept connection may serve, and when such a one ends before
     * a byte of the answer, the request is sent again, once: the peer may
     * have read both. That is how a request meets a peer that is just closing
     * an idle connection.
     */
    bool fresh_connection;
    bool follow_redirects;  /* as python-requests: 301-303 become GET */
    size_t max_reply_bytes; /* read no further than that; the rest is cut */
    bool keep_reply;        /* false: read and drop the reply's body */
    void (*done)(struct fetch *fetch);

    /* The outcome; whatever was here is forgotten by fetcher_start(). */
    enum fetch_status status;
    long http_status;    /* of the last answer, 0 when there was none */
    struct buffer reply; /* freed by the owner */
    bool reply_was_cut;  /* there was more than max_reply_bytes */
    char *reply_type;    /* Content-Type or NULL; freed by the owner */
    long retry_after_s;  /* Retry-After, at most a day; 0 when absent */
    int64_t duration_ms;
    char reason[128]; /* in words, for the log; no content */

    struct fetch_transfer *transfer; /* internal */
};

/* Copies the settings. `base` outlives the fetcher. */
struct fetcher *fetcher_new(struct event_base *base,
                            const struct fetcher_settings *settings);

void fetcher_start(struct fetcher *fetcher, struct fetch *fetch);

/* How many were started and are not done, those in the queue included. */
size_t fetcher_in_flight(const struct fetcher *fetcher);

/*
 * Cancels what is under way or waits; their `done` runs inside. A fetch that
 * is started there is canceled as well. Not from inside a `done`. NULL is
 * legal.
 */
void fetcher_free(struct fetcher *fetcher);

#endif

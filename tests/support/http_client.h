/*
 * A small HTTP/1.1 client for tests: blocking, one kept-alive connection to a
 * port of this machine, a cookie jar. One thread; a test with many clients
 * gives each thread or process its own.
 *
 * Nothing here fails a test: a broken connection is a reply with status 0,
 * because the tests that kill servers expect them. Requests are never sent a
 * second time, and redirects are not followed.
 */
#ifndef XQUEUE_TESTS_HTTP_CLIENT_H
#define XQUEUE_TESTS_HTTP_CLIENT_H

#include "server/base/arena.h"
#include "server/base/compiler.h"

struct http_client;

struct reply {
    int status;       /* 0: no whole reply came, see problem */
    struct text head; /* status line and fields, as they came */
    struct text body; /* never absent */
    const char *problem;
};

/* A field of a form. `file_name` makes it a file of a multipart form. */
struct http_part {
    const char *name;
    const char *value;
    const char *file_name;
};

struct http_form {
    const struct http_part *parts;
    size_t count;
};

/* HTTP_FORM({"username", "lms"}, {"password", "password"}) */
#define HTTP_FORM(...)                                                         \
    ((struct http_form){(const struct http_part[]){__VA_ARGS__},               \
                        sizeof((const struct http_part[]){__VA_ARGS__}) /      \
                            sizeof(struct http_part)})

/* Connects at the first request. Waits at most 30 s for a reply. */
struct http_client *http_client_new(uint16_t port);

/* Frees the replies too. NULL is legal. */
void http_client_free(struct http_client *client);

/* So many unsent bytes at most are with the system; for new connections. */
void http_client_set_send_buffer(struct http_client *client, int bytes);
void http_client_set_timeout_ms(struct http_client *client, int timeout_ms);

/* The server came back on another port. */
void http_client_set_port(struct http_client *client, uint16_t port);

/* Hang up; the next request connects again. Cookies stay. */
void http_client_close(struct http_client *client);

/* Free the replies so far: for loops. */
void http_client_forget_replies(struct http_client *client);

/* Replies live until http_client_forget_replies() or http_client_free(). */
const struct reply *http_get(struct http_client *client, const char *path);
const struct reply *http_head(struct http_client *client, const char *path);

/* As python-requests sends data={...}. */
const struct reply *http_post_form(struct http_client *client, const char *path,
                                   struct http_form form);

/* As python-requests sends data={...} and files={...}. */
const struct reply *http_post_multipart(struct http_client *client,
                                        const char *path,
                                        struct http_form form);

struct http_message {
    const char *method;
    const char *path;
    const char *fields; /* "Name: value\r\n", any number; may be NULL */
    struct text body;   /* absent: no Content-Length either */
};

/* Cookie, Host and Content-Length are added. */
const struct reply *http_send(struct http_client *client,
                              const struct http_message *message);

/* Send these bytes and nothing else, then read one reply. */
const struct reply *http_send_raw(struct http_client *client,
                                  struct text bytes);

/* Send without reading: for clients that hang up or are slow. */
bool http_send_bytes(struct http_client *client, struct text bytes);
const struct reply *http_read_reply(struct http_client *client);

/* True when something has come that was not read yet, or a hang-up. */
bool http_has_input(struct http_client *client);

/* True when the server hangs up within the time-out, without a byte more. */
bool http_is_hung_up(struct http_client *client);

/* A field of the reply, without case; absent when there is none. */
struct text reply_field(const struct reply *reply, const char *name);

/* The value in the jar; NULL when there is none. */
const char *http_cookie(const struct http_client *client, const char *name);
void http_set_cookie(struct http_client *client, const char *name,
                     const char *value);
void http_clear_cookies(struct http_client *client);

#endif

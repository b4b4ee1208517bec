/*
 * A TCP client that sends any bytes, fit or not, and waits with a deadline.
 * Failing to do its work fails the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_RAW_CLIENT_H
#define XQUEUE_TESTS_SUPPORT_RAW_CLIENT_H

#include "server/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum raw_end {
    RAW_CLOSED, /* the server closed, in order */
    RAW_RESET,  /* the connection broke */
    RAW_OPEN,   /* still open at the deadline */
};

/* A connected socket; the test closes it, or ends. */
int raw_connect(uint16_t port);

/* False when the server does not take them. */
bool raw_send(int client, const void *bytes, size_t size);
bool raw_say(int client, const char *text);

/* Byte after byte; false, with the rest unsent, when the server closed. */
bool raw_say_slowly(int client, const char *text, int pause_ms);

/* All there is until the server closes or the time is over. */
enum raw_end raw_read_all(int client, struct buffer *ret_reply,
                          int deadline_ms);

/* Until the reply is whole by its Content-Length; false at the deadline. */
bool raw_read_reply(int client, struct buffer *ret_reply, int deadline_ms);

/* "HTTP/1.1 200 OK": 200; 0 when it is no reply. */
int raw_status(const struct buffer *reply);

/* How often `text` is in it. */
size_t raw_count(const struct buffer *reply, const char *text);

/* A new connection, all of `text`, and what came back until the close. */
int raw_ask(uint16_t port, const void *bytes, size_t size,
            struct buffer *ret_reply);

#endif

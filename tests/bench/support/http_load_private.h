/*
 * Parts of the load generator: one client's connection, and the order in
 * which clients that wait are due.
 */
#ifndef XQUEUE_BENCH_HTTP_LOAD_PRIVATE_H
#define XQUEUE_BENCH_HTTP_LOAD_PRIVATE_H

#include "tests/bench/support/http_load.h"

enum load_state {
    LOAD_IDLE,    /* nothing is asked */
    LOAD_WRITING, /* a request is not written yet */
    LOAD_READING  /* it is */
};

enum load_event {
    LOAD_NOTHING_YET,
    LOAD_REPLY, /* a whole one */
    LOAD_BROKEN
};

struct load_connection {
    struct http_load_client client;
    int socket; /* -1: none */
    enum load_state state;
    int64_t due_us;  /* when to ask the client */
    int64_t sent_us; /* what the latency counts from */
    struct buffer out;
    size_t written; /* of out */
    struct buffer in;
    size_t head_size; /* of in; 0: not all of it has come */
    size_t body_size;
};

/* Where connections are made from and to, and what watches them. */
struct load_network {
    int epoll;
    uint16_t port;
    unsigned source; /* 0: any; N: 127.0.0.(N + 1) */
};

/* Send what is in `out`, over a new connection when there is none. */
enum load_event load_connection_send(struct load_connection *connection,
                                     struct load_network *network);

/* Of what epoll told. */
enum load_event load_connection_event(struct load_connection *connection,
                                      uint32_t events);

/* The reply that is there; points into the connection. */
struct http_load_reply
load_connection_reply(const struct load_connection *connection);

bool load_connection_is_last_reply(const struct load_connection *connection);
void load_connection_close(struct load_connection *connection);
void load_connection_free(struct load_connection *connection);

/* Clients that wait, the one that is due first on top: a binary heap. */
struct load_queue {
    struct load_connection **items; /* room for all clients */
    size_t count;
};

void load_queue_add(struct load_queue *queue,
                    struct load_connection *connection);
struct load_connection *load_queue_take(struct load_queue *queue);

#endif

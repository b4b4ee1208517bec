/*
 * What the pretended peers have in common: an HTTP server of one thread and
 * one loop that ends at SIGTERM, and answers that are given later.
 */
#ifndef XQUEUE_TESTS_TOOLS_HOST_H
#define XQUEUE_TESTS_TOOLS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct host;
struct event;
struct evhttp_request;

struct host *host_new(void (*on_request)(struct evhttp_request *request,
                                         void *context),
                      void *context);
void host_free(struct host *host);

/* May be called for several ports; 0 is a free one. */
bool host_listen(struct host *host, const char *address, uint16_t port,
                 uint16_t *ret_port);

/* Serve until SIGTERM or SIGINT. */
void host_run(struct host *host);

TAILQ_HEAD(later_list, later);

/* A request that is answered later. The first member of what belongs to it. */
struct later {
    TAILQ_ENTRY(later) entry;
    struct host *host;
    struct evhttp_request *request;
    struct event *timer; /* NULL: not by itself */
    void (*finish)(struct later *later);
};

/*
 * `size` bytes for it and what belongs to it, 0 but for the struct later.
 * After `ms` milliseconds, or never if they are negative, later_finish().
 */
void *later_new(struct host *host, struct evhttp_request *request, long ms,
                size_t size, void (*finish)(struct later *later));

/* Call `finish`, which answers, and free it. */
void later_finish(struct later *later);

/* All of them, in the order they came. */
struct later_list *host_laters(struct host *host);

#endif

/*
 * How fast large bodies are read, all together: so many bytes a second. Who
 * uploads as fast as a local network allows would else keep the processors
 * from the small requests, which people wait for. What is not used is not
 * saved up. Loop thread.
 */
#ifndef XQUEUE_HTTP_BODY_RATE_H
#define XQUEUE_HTTP_BODY_RATE_H

#include <stddef.h>

struct http_server;

void http_body_rate_start(struct http_server *server);
void http_body_rate_stop(struct http_server *server);

/* So many bytes have been read. May pause the receivers for a few ms. */
void http_body_rate_spend(struct http_server *server, size_t bytes);

#endif

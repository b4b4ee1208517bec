/*
 * From a request's path to its endpoint.
 */
#ifndef XQUEUE_API_ROUTER_H
#define XQUEUE_API_ROUTER_H

#include "server/http/server.h"

/* An http_handler; the context is the struct env. */
void router_handle(struct http_request *request, void *env);

#endif

/*
 * The words of status codes. Pure.
 */
#ifndef XQUEUE_HTTP_STATUS_H
#define XQUEUE_HTTP_STATUS_H

#include <stdbool.h>

/* "Not Found"; never NULL. */
const char *http_status_reason(int status);

/* A reply with it has a body, or at least a length (to HEAD). */
bool http_status_has_body(int status);

#endif

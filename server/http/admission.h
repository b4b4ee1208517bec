/*
 * May a request that evhttp has read go to the handler? Puts the question to
 * gate.h, and to the watch on its chunks. Loop thread.
 */
#ifndef XQUEUE_HTTP_ADMISSION_H
#define XQUEUE_HTTP_ADMISSION_H

#include "server/http/gate.h"

struct http_request;

/* Status 0 when it may. */
struct gate_verdict http_admission_judge(struct http_request *request);

#endif

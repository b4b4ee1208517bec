/*
 * Answers to what never became a request: written by ourselves, straight to
 * the socket, because evhttp is not to go on with that connection. They have
 * the form of all other refusals: {"return_code": 1, "content": "reason"}.
 * Loop thread.
 */
#ifndef XQUEUE_HTTP_REFUSAL_H
#define XQUEUE_HTTP_REFUSAL_H

struct http_connection;

/* What we say where evhttp's parser would have said `evhttp_status`. */
int http_refusal_status(int evhttp_status);

/* The connection is in the state of refusing; the caller closes it. */
void http_refusal_send(struct http_connection *connection);

#endif

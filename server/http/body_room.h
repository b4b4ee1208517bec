/*
 * The room for the body of a request: how far a connection reads ahead of
 * evhttp, and the memory that what it reads comes into. All this is about
 * speed: what is too large others refuse. Loop thread.
 */
#ifndef XQUEUE_HTTP_BODY_ROOM_H
#define XQUEUE_HTTP_BODY_ROOM_H

struct http_connection;

enum { HTTP_READ_SLACK = 48 * 1024 }; /* bytes read beyond the longest head */

/* Of a new connection: room for a head. */
void http_body_room_start(struct http_connection *connection);

/* The head has come, and lies at the beginning of the input buffer. */
void http_body_room_begin(struct http_connection *connection);

/* More of the body has come. */
void http_body_room_widen(struct http_connection *connection);

/* Read at once what else has come of a large body. */
void http_body_room_read_on(struct http_connection *connection);

/* The body is complete: do not read so far ahead any more. */
void http_body_room_narrow(struct http_connection *connection);

#endif

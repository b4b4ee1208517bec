/*
 * The guard of one client connection.
 *
 *   NEW -> IDLE -> HEAD -> BODY -> HANDLING -> REPLYING -> IDLE or HEAD
 *                   |       |                  or STREAMING
 *                   |       |                      |
 *                   +-------+--> REFUSING          +--> closed by evhttp
 *                                   |                          |
 *                                   +-----> LINGERING <--------+
 *
 * When does a connection end? Server connections of evhttp end in
 * evhttp_connection_free() and nowhere else, and that calls the close
 * callback first. evhttp tells nobody the connection it made for an accepted
 * socket, but makes it the argument of the bufferevent's callbacks: there we
 * find it, in an event that runs after accept and before any byte is read.
 * Until then we hold a reference, and should evhttp have failed meanwhile,
 * the argument is gone.
 *
 * While a request is with the handler evhttp does not read, and must not be
 * made to: a single byte would end the process. While a reply is written it
 * would read without a bound, and take a half-closed client for a lost one;
 * so we turn that off until it begins with the next request.
 */
#include "server/http/connection.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/http/body_memory.h"
#include "server/http/body_room.h"
#include "server/http/crowd.h"
#include "server/http/intake.h"
#include "server/http/linger.h"
#include "server/http/private.h"
#include "server/http/receivers.h"
#include "server/http/refusal.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { MAX_WRITE = 256 * 1024 }; /* of a reply for each turn of the loop */

static void give_back_body(struct http_connection *connection,
                           enum http_connection_state state);
static void on_turn(evutil_socket_t descriptor, short what, void *context);
static void adopt(struct http_connection *connection);
static void remember(struct http_connection *connection);
static void on_close(struct evhttp_connection *evhttp, void *context);
static void detach(struct http_connection *connection);

struct bufferevent *http_connection_accept(struct http_server *server)
{
    struct http_connection *connection = xcalloc(1, sizeof *connection);
    struct bufferevent *bufferevent =
        bufferevent_socket_new(server->base, -1, BEV_OPT_CLOSE_ON_FREE);

    connection->server = server;
    connection->bufferevent = bufferevent;
    connection->descriptor = -1;
    connection->turn = event_new(server->base, -1, 0, on_turn, connection);
    if (bufferevent == NULL || connection->turn == NULL)
        fatal("no memory for a connection");
    http_intake_start(connection);
    bufferevent_set_max_single_write(bufferevent, MAX_WRITE);
    bufferevent_incref(bufferevent); /* until adopt() */
    http_connection_set_state(connection, HTTP_CONNECTION_NEW);
    TAILQ_INSERT_TAIL(&server->connections, connection, siblings);
    server->connection_count++;
    event_active(connection->turn, EV_TIMEOUT, 1);
    return bufferevent;
}

void http_connection_adopt_all(struct http_server *server)
{
    struct http_connection *next;

    for (struct http_connection *connection = TAILQ_FIRST(&server->connections);
         connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, siblings);
        if (connection->state == HTTP_CONNECTION_NEW)
            adopt(connection);
    }
}

void http_connection_end_all(struct http_server *server)
{
    struct http_connection *next;

    for (struct http_connection *connection = TAILQ_FIRST(&server->connections);
         connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, siblings);
        http_linger_end(connection);
    }
}

struct http_connection *http_connection_find(struct http_server *server,
                                             struct evhttp_request *request)
{
    struct evhttp_connection *evhttp = evhttp_request_get_connection(request);
    const int descriptor =
        bufferevent_getfd(evhttp_connection_get_bufferevent(evhttp));
    struct http_connection *connection = NULL;

    if (descriptor >= 0 && (size_t)descriptor < server->by_descriptor_size)
        connection = server->by_descriptor[descriptor];
    if (connection == NULL)
        fatal("a request on a connection without a guard");
    return connection;
}

void http_connection_handling(struct http_connection *connection,
                              struct http_request *request, size_t body_bytes)
{
    http_receivers_leave(connection);
    connection->request = request;
    connection->request_held = body_bytes;
    http_connection_set_state(connection, HTTP_CONNECTION_HANDLING);
    http_body_memory_hand_over(connection, body_bytes);
    http_intake_review(connection);
    http_body_room_narrow(connection);
}

void http_connection_replying(struct http_connection *connection)
{
    http_connection_hush(connection);
    connection->request = NULL;
    give_back_body(connection, HTTP_CONNECTION_REPLYING);
}

void http_connection_streaming(struct http_connection *connection)
{
    http_connection_hush(connection);
    give_back_body(connection, HTTP_CONNECTION_STREAMING);
    pace_start(&connection->pace, http_connection_taken(connection),
               connection->since_ms);
}

void http_connection_hush(struct http_connection *connection)
{
    bufferevent_disable(connection->bufferevent, EV_READ);
}

void http_connection_streamed(struct http_connection *connection)
{
    connection->request = NULL;
}

uint64_t http_connection_taken(const struct http_connection *connection)
{
    int unconfirmed = 0;

    if (ioctl(connection->descriptor, SIOCOUTQ, &unconfirmed) != 0 ||
        (uint64_t)unconfirmed > connection->written)
        return connection->written;
    return connection->written - (uint64_t)unconfirmed;
}

void http_connection_replied(struct http_connection *connection)
{
    connection->kept = true;
    http_connection_set_state(connection, HTTP_CONNECTION_IDLE);
    http_intake_take_rest(connection);
}

void http_connection_refuse(struct http_connection *connection, int status,
                            const char *content)
{
    http_receivers_leave(connection);
    connection->refusal_status = status;
    connection->refusal_content = content;
    http_connection_set_state(connection, HTTP_CONNECTION_REFUSING);
    /* Not one byte more for evhttp's parser; it stays the owner. */
    bufferevent_setcb(connection->bufferevent, NULL, NULL, NULL,
                      connection->evhttp);
    bufferevent_disable(connection->bufferevent, EV_READ);
    event_active(connection->turn, EV_TIMEOUT, 1);
}

void http_connection_close(struct http_connection *connection)
{
    evhttp_connection_free(connection->evhttp); /* calls on_close() */
}

/*
 * evhttp parts a request that is not replied to from its connection only when
 * the client has gone: make it believe that.
 */
void http_connection_cut(struct http_connection *connection)
{
    connection->given_up = true;
    bufferevent_trigger_event(connection->bufferevent, BEV_EVENT_EOF, 0);
}

void http_connection_drop(struct http_connection *connection)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &reset,
               sizeof reset);
    http_connection_cut(connection);
}

void http_connection_free(struct http_connection *connection)
{
    struct http_server *server = connection->server;

    http_crowd_leave(connection);
    event_free(connection->turn);
    TAILQ_REMOVE(&server->connections, connection, siblings);
    server->connection_count--;
    free(connection);
    if (!server->ending)
        http_server_review_listener(server);
}

void http_connection_set_state(struct http_connection *connection,
                               enum http_connection_state state)
{
    connection->state = state;
    connection->since_ms = clock_monotonic_ms();
    http_crowd_place(connection);
}

static void give_back_body(struct http_connection *connection,
                           enum http_connection_state state)
{
    const size_t body_bytes = connection->request_held;

    connection->request_held = 0;
    http_connection_set_state(connection, state);
    http_intake_review(connection);
    http_body_memory_take_back(connection, body_bytes);
}

static void on_turn(evutil_socket_t descriptor, short what, void *context)
{
    struct http_connection *connection = context;

    (void)descriptor;
    (void)what;
    if (connection->state == HTTP_CONNECTION_NEW) {
        adopt(connection);
    } else if (connection->state == HTTP_CONNECTION_REFUSING) {
        http_refusal_send(connection);
        http_connection_close(connection);
    }
}

static void adopt(struct http_connection *connection)
{
    struct bufferevent *bufferevent = connection->bufferevent;
    void *evhttp = NULL;

    bufferevent_getcb(bufferevent, NULL, NULL, NULL, &evhttp);
    if (evhttp == NULL) { /* evhttp had no memory and freed its part */
        detach(connection);
        bufferevent_decref(bufferevent);
        http_connection_free(connection);
        return;
    }
    connection->evhttp = evhttp;
    connection->descriptor = bufferevent_getfd(bufferevent);
    remember(connection);
    evhttp_connection_set_closecb(evhttp, on_close, connection);
    http_connection_set_state(connection, HTTP_CONNECTION_IDLE);
    bufferevent_decref(bufferevent);
}

static void remember(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    const size_t index = (size_t)connection->descriptor;
    size_t size = server->by_descriptor_size;

    while (index >= size)
        size = size == 0 ? 64 : size * 2;
    if (size > server->by_descriptor_size) {
        server->by_descriptor = xrealloc(server->by_descriptor,
                                         size * sizeof *server->by_descriptor);
        for (size_t i = server->by_descriptor_size; i < size; i++)
            server->by_descriptor[i] = NULL;
        server->by_descriptor_size = size;
    }
    server->by_descriptor[index] = connection;
}

/* evhttp is about to close the descriptor and free its connection. */
static void on_close(struct evhttp_connection *evhttp, void *context)
{
    struct http_connection *connection = context;

    if (connection->request != NULL)
        http_request_lost(connection->request);
    detach(connection);
    if (http_linger_is_needed(connection)) {
        http_linger_start(connection,
                          evhttp_connection_get_bufferevent(evhttp));
        http_connection_set_state(connection, HTTP_CONNECTION_LINGERING);
    } else {
        http_connection_free(connection);
    }
}

static void detach(struct http_connection *connection)
{
    const size_t body_bytes = connection->request_held;

    http_intake_stop(connection);
    if (connection->descriptor >= 0)
        connection->server->by_descriptor[connection->descriptor] = NULL;
    http_receivers_leave(connection);
    connection->bufferevent = NULL;
    connection->evhttp = NULL;
    connection->request = NULL;
    connection->request_held = 0;
    http_intake_review(connection);
    http_body_memory_take_back(connection, body_bytes);
}

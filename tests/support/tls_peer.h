/*
 * A TLS server with a certificate that nobody signed: `openssl s_server`, fed
 * with one fixed answer. For one connection. What fails in here fails the
 * test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_TLS_PEER_H
#define XQUEUE_TESTS_SUPPORT_TLS_PEER_H

#include "server/base/text.h"

struct event_base;
struct tls_peer;

/*
 * `names` goes into the certificate, as in "DNS:localhost,IP:127.0.0.1".
 * `option` is one more for s_server, or NULL.
 */
struct tls_peer *tls_peer_start(const char *names, const char *option);

/* Let it answer while `base` runs; until then it is mute. */
void tls_peer_serve(struct tls_peer *peer, struct event_base *base);

/* "https://localhost:PORT/"; belongs to the peer. */
const char *tls_peer_url(const struct tls_peer *peer);

/* The certificate's file: the authority to trust. */
const char *tls_peer_certificate(const struct tls_peer *peer);

/* Whether a request has come. */
bool tls_peer_was_asked(const struct tls_peer *peer);

/* Bytes of requests that have come. */
size_t tls_peer_received(const struct tls_peer *peer);

/* NULL is legal. */
void tls_peer_stop(struct tls_peer *peer);

#endif

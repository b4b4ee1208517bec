/*
 * Where the small servers of the benchmarks listen.
 */
#ifndef XQUEUE_BENCH_LISTENING_H
#define XQUEUE_BENCH_LISTENING_H

#include <stdint.h>

/* On a free port of 127.0.0.1, without blocking; fatal when there is none. */
int bench_listen(uint16_t *ret_port);

#endif

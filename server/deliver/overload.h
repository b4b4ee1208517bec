/*
 * What an answer says about the load of whoever gave it. Pure.
 */
#ifndef XQUEUE_DELIVER_OVERLOAD_H
#define XQUEUE_DELIVER_OVERLOAD_H

#include "server/fetch/fetch.h"

/* 429, 502, 503 or 504: it, or what stands before it, cannot keep up. */
bool says_overloaded(const struct fetch *fetch);

#endif

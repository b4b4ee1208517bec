/*
 * Is the libevent that we run with a repaired one?
 *
 * Its version number does not tell: a distribution that repairs an old
 * release keeps the number. So ask it a question that only the repaired ones
 * answer rightly. Needs no server; takes a few milliseconds.
 */
#ifndef XQUEUE_HTTP_SELFTEST_H
#define XQUEUE_HTTP_SELFTEST_H

#include "server/base/compiler.h"

#include <stdbool.h>

/* False, with a static text in *ret_error: do not serve with it. */
MUST_CHECK bool http_selftest(const char **ret_error);

#endif

/*
 * Moments as Amazon's services write them: "2013-05-24T00:00:00.000Z". Pure.
 */
#ifndef XQUEUE_STORAGE_ISO_TIME_H
#define XQUEUE_STORAGE_ISO_TIME_H

#include "server/base/compiler.h"
#include "server/base/text.h"

/*
 * Microseconds since 1970; always in UTC, of the years 1970 to 9999. What
 * stands behind a point after the seconds is left out.
 */
bool iso_time_parse(struct text text, int64_t *ret_us) MUST_CHECK;

#endif

/*
 * What we ask of curl for one hop. Only for fetch_transfer.c.
 */
#ifndef XQUEUE_FETCH_FETCH_OPTIONS_H
#define XQUEUE_FETCH_FETCH_OPTIONS_H

#include "server/fetch/fetch_transfer.h"

/*
 * Set every option but the callbacks on transfer->easy, which is as new or has
 * those of the hop before. `spent_ms` of the total time are gone.
 */
void fetch_options_set(struct fetch_transfer *transfer, const char *user_agent,
                       int64_t spent_ms);

/* `code` is a CURLcode: an option that curl does not take is fatal. */
void fetch_option_must(unsigned code);

#endif

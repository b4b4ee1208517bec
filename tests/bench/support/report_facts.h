/*
 * What a figure depends on besides us, in one line.
 */
#ifndef XQUEUE_BENCH_REPORT_FACTS_H
#define XQUEUE_BENCH_REPORT_FACTS_H

#include "server/base/buffer.h"

/* The database and its settings, processors, and what an fsync costs. */
void report_facts_append(struct buffer *line);

#endif

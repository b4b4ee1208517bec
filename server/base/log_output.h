/*
 * Where lines of the log leave: standard error. Any thread.
 *
 * A thread that turns in a loop may hold its lines back while it has things to
 * do, so that they leave together: a system call for each would cost more than
 * the lines. They never wait longer than the thread is busy, nor once there are
 * more than fit into one write. Lines of other threads, and warnings, leave at
 * once, behind those that are held. Only a process that is killed loses some.
 */
#ifndef XQUEUE_BASE_LOG_OUTPUT_H
#define XQUEUE_BASE_LOG_OUTPUT_H

#include "server/base/text.h"

#include <stdbool.h>

/*
 * From now on the calling thread's lines wait for log_output_flush(), until
 * log_output_release(). One thread at a time.
 */
void log_output_hold(void);
void log_output_release(void);

/* Write what is held: by the thread that holds, before it sleeps. */
void log_output_flush(void);

/* A whole line, with its end. */
void log_output_line(struct text line, bool at_once);

#endif

/*
 * What a process, or the database, has used so far: take it before and after.
 */
#ifndef XQUEUE_BENCH_COST_H
#define XQUEUE_BENCH_COST_H

#include <stdint.h>
#include <sys/types.h>

/* User and system time of a process, all threads. */
double process_cpu_seconds(pid_t pid);

/* Resident memory now, and the highest since the last reset. */
double process_memory_mb(pid_t pid);
double process_peak_memory_mb(pid_t pid);
void process_reset_peak_memory(pid_t pid);

/* Of the database, by its counters (Questions, Com_commit, ...). */
int64_t database_counter(const char *name);

/* Transactions whose old versions the database has still to purge. */
double database_history_length(void);

/* Until that is done but for a few, or it fails. */
void database_wait_for_purge(void);

#endif

/*
 * What a process has used: its clock, and files of /proc.
 */
#include "tests/bench/support/cost.h"

#include "server/base/memory.h"
#include "tests/support/mariadb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *history_sql(void);
static double memory_mb(pid_t pid, const char *field);
static FILE *open_file_of(pid_t pid, const char *name, const char *mode);

double process_cpu_seconds(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0)
        fatal("no clock of the process %d", (int)pid);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

double process_memory_mb(pid_t pid)
{
    return memory_mb(pid, "VmRSS:");
}

double process_peak_memory_mb(pid_t pid)
{
    return memory_mb(pid, "VmHWM:");
}

void process_reset_peak_memory(pid_t pid)
{
    FILE *file = open_file_of(pid, "clear_refs", "we");

    fputs("5", file);
    if (fclose(file) != 0)
        fatal("the highest memory of %d cannot be reset", (int)pid);
}

int64_t database_counter(const char *name)
{
    return strtoll(mariadb_value("SELECT VARIABLE_VALUE FROM %s"
                                 " WHERE VARIABLE_NAME = '%s'",
                                 mariadb_global_status(), name),
                   NULL, 10);
}

double database_history_length(void)
{
    return strtod(mariadb_value("%s", history_sql()), NULL);
}

void database_wait_for_purge(void)
{
    mariadb_wait_for_value("1", "SELECT (%s) < 1000", history_sql());
}

static const char *history_sql(void)
{
    return mariadb_is_mysql()
               ? "SELECT COUNT FROM information_schema.INNODB_METRICS"
                 " WHERE NAME = 'trx_rseg_history_len'"
               : "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
                 " WHERE VARIABLE_NAME = 'Innodb_history_list_length'";
}

static double memory_mb(pid_t pid, const char *field)
{
    FILE *file = open_file_of(pid, "status", "re");
    char line[256];
    double kilobytes = 0;

    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0)
            kilobytes = strtod(line + strlen(field), NULL);
    }
    fclose(file);
    if (kilobytes <= 0)
        fatal("the process %d has no %s", (int)pid, field);
    return kilobytes / 1024;
}

static FILE *open_file_of(pid_t pid, const char *name, const char *mode)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    file = fopen(path, mode);
    if (file == NULL)
        fatal("%s: %s", path, strerror(errno));
    return file;
}

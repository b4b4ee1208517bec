/*
 * The facts come from the database itself; an fsync is measured beside its
 * files.
 */
#include "tests/bench/support/report_facts.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/bench/support/figures.h"
#include "tests/support/mariadb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITES = 50, WRITE_BYTES = 4096, MEGABYTE = 1024 * 1024 };

static double megabytes(const char *variable);
static double sync_ms(const char *directory);

void report_facts_append(struct buffer *line)
{
    buffer_printf(line, "%s %s", mariadb_is_mysql() ? "MySQL" : "MariaDB",
                  mariadb_value("SELECT SUBSTRING_INDEX(VERSION(), '-', 1)"));
    buffer_printf(line, ", innodb_flush_log_at_trx_commit %s",
                  mariadb_value("SELECT @@innodb_flush_log_at_trx_commit"));
    buffer_printf(line, ", log_bin %s", mariadb_value("SELECT @@log_bin"));
    buffer_printf(line, ", sync_binlog %s",
                  mariadb_value("SELECT @@sync_binlog"));
    buffer_printf(line, ", buffer pool %.0f MB",
                  megabytes("innodb_buffer_pool_size"));
    buffer_printf(line, ", %ld processors", sysconf(_SC_NPROCESSORS_ONLN));
    buffer_printf(line, ", fsync of 4 KB %.2f ms",
                  sync_ms(mariadb_value("SELECT @@datadir")));
}

static double megabytes(const char *variable)
{
    return strtod(mariadb_value("SELECT @@%s", variable), NULL) / MEGABYTE;
}

/* The median of a few, as the database's log does it. */
static double sync_ms(const char *directory)
{
    static const char page[WRITE_BYTES];
    char *path = xasprintf("%s/sync-XXXXXX", directory);
    double values[WRITES];
    int file = mkstemp(path);

    if (file == -1)
        fatal("%s: %s", path, strerror(errno));
    for (size_t i = 0; i < WRITES; i++) {
        int64_t begin_us = clock_monotonic_us();

        if (write(file, page, sizeof page) != (ssize_t)sizeof page ||
            fdatasync(file) != 0)
            fatal("%s: %s", path, strerror(errno));
        values[i] = (double)(clock_monotonic_us() - begin_us) / 1e3;
    }
    close(file);
    unlink(path);
    free(path);
    return quantile(values, WRITES, 0.5);
}

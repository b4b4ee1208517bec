/*
 * Lines leave whole and in one write(2), so they never mix. Should standard
 * error be a full pipe, they are dropped rather than stopping the loop: a pipe
 * that has room takes PIPE_BUF bytes at once.
 */
#include "server/base/log_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    bool holds;
    pthread_t holder; /* meaningful while `holds` */
    size_t size;
    char lines[PIPE_BUF];
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_held(void);
static void write_out(const char *data, size_t size);

void log_output_hold(void)
{
    pthread_mutex_lock(&held.lock);
    held.holds = true;
    held.holder = pthread_self();
    pthread_mutex_unlock(&held.lock);
}

void log_output_release(void)
{
    pthread_mutex_lock(&held.lock);
    held.holds = false;
    write_held();
    pthread_mutex_unlock(&held.lock);
}

void log_output_flush(void)
{
    pthread_mutex_lock(&held.lock);
    write_held();
    pthread_mutex_unlock(&held.lock);
}

void log_output_line(struct text line, bool at_once)
{
    pthread_mutex_lock(&held.lock);
    if (line.size > sizeof held.lines - held.size)
        write_held();
    if (line.size > sizeof held.lines) {
        write_out(line.data, line.size);
    } else {
        memcpy(held.lines + held.size, line.data, line.size);
        held.size += line.size;
        if (at_once || !held.holds ||
            !pthread_equal(held.holder, pthread_self()))
            write_held();
    }
    pthread_mutex_unlock(&held.lock);
}

/* Under the lock. */
static void write_held(void)
{
    if (held.size > 0)
        write_out(held.lines, held.size);
    held.size = 0;
}

static void write_out(const char *data, size_t size)
{
    struct pollfd standard_error = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t written;

    if (poll(&standard_error, 1, 0) != 1 ||
        (standard_error.revents & POLLOUT) == 0)
        return;
    do
        written = write(STDERR_FILENO, data, size);
    while (written < 0 && errno == EINTR);
}

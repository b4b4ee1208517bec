/*
 * A small file as a whole.
 */
#include "server/config/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 16 * 1024 };

static bool read_open(int file, size_t limit, struct file_content *content,
                      const char **ret_why);
static bool read_all(int file, size_t limit, struct buffer *bytes,
                     const char **ret_why);

bool read_file(const char *path, size_t limit, struct file_content *ret_content,
               const char **ret_why)
{
    struct file_content content = {{NULL, 0, 0}, false};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool done;

    if (file < 0) {
        *ret_why = strerror(errno);
        return false;
    }
    done = read_open(file, limit, &content, ret_why);
    close(file);
    if (done)
        *ret_content = content;
    else
        buffer_free(&content.bytes);
    return done;
}

static bool read_open(int file, size_t limit, struct file_content *content,
                      const char **ret_why)
{
    struct stat facts;

    if (fstat(file, &facts) != 0) {
        *ret_why = strerror(errno);
        return false;
    }
    if (!S_ISREG(facts.st_mode)) {
        *ret_why = S_ISDIR(facts.st_mode) ? "a directory, not a file"
                                          : "not a regular file";
        return false;
    }
    content->is_world_writable = (facts.st_mode & S_IWOTH) != 0;
    return read_all(file, limit, &content->bytes, ret_why);
}

/* The size that the system tells may be old or, in /proc, zero. */
static bool read_all(int file, size_t limit, struct buffer *bytes,
                     const char **ret_why)
{
    for (;;) {
        ssize_t got;

        buffer_reserve(bytes, STEP);
        got = read(file, bytes->data + bytes->size, STEP);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *ret_why = strerror(errno);
            return false;
        }
        if (got == 0)
            break;
        bytes->size += (size_t)got;
        if (bytes->size > limit) {
            *ret_why = "larger than allowed";
            return false;
        }
    }
    bytes->data[bytes->size] = '\0';
    return true;
}

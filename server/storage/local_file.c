/*
 * Files of a local storage that are being written.
 *
 * They have names that are no keys. What a process that died left behind is
 * known by the time in such a name: that of the file itself would be the
 * disk's, which may be another machine's, and changes with a link.
 */
#include "server/storage/local_folder.h"

#include "server/base/clock.h"
#include "server/base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX ".part-"

enum {
    TIME_DIGITS = 10,
    RANDOM_DIGITS = 16,
    LEFT_OVER_S = 3600,
    PIECE = 64 * 1024, /* bytes, as STRETCH */
    STRETCH = 1024 * 1024
};

static bool are_hex(const char *digits, size_t count);
static bool write_all(int file, struct text content);
static bool write_out(int file, size_t end);

void local_temporary_name(char ret_name[LOCAL_TEMPORARY_SIZE])
{
    const uint64_t now_s = (uint64_t)clock_wall_us() / 1000000;
    unsigned char random[RANDOM_DIGITS / 2];
    char digits[RANDOM_DIGITS + 1];

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, digits);
    snprintf(ret_name, LOCAL_TEMPORARY_SIZE, PREFIX "%010" PRIx64 "-%s",
             now_s & 0xffffffffff, digits);
}

bool local_is_left_over(const char *name, int64_t now_s)
{
    const char *time = name + sizeof PREFIX - 1;
    int64_t made_s = 0;

    if (strlen(name) != LOCAL_TEMPORARY_SIZE - 1 ||
        strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 ||
        !are_hex(time, TIME_DIGITS) || time[TIME_DIGITS] != '-' ||
        !are_hex(time + TIME_DIGITS + 1, RANDOM_DIGITS))
        return false;
    for (size_t i = 0; i < TIME_DIGITS; i++)
        made_s = made_s << 4 | text_hex_digit(time[i]);
    return now_s - made_s > LEFT_OVER_S;
}

enum storage_status local_write(int folder, const char *name,
                                struct text content,
                                char ret_reason[STORAGE_REASON_SIZE])
{
    const int file =
        openat(folder, name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    const char *what = NULL;
    enum storage_status status;

    if (file < 0)
        return local_failed(ret_reason, "making a file");
    if (!write_all(file, content))
        what = "writing a file";
    else if (fsync(file) != 0)
        what = "fsync of a file"; /* never again: what is lost stays lost */
    status = what == NULL ? STORAGE_OK : local_failed(ret_reason, what);
    if (close(file) != 0 && what == NULL)
        status = local_failed(ret_reason, "closing a file");
    if (status != STORAGE_OK)
        unlinkat(folder, name, 0);
    return status;
}

static bool are_hex(const char *digits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text_hex_digit(digits[i]) < 0)
            return false;
    }
    return true;
}

/*
 * In small pieces: for all of one write() a system may keep the processor,
 * milliseconds long, whoever else waits for it. And each stretch goes to the
 * disk at once: with many megabytes left to the fsync, that of the database
 * would have to wait behind them.
 */
static bool write_all(int file, struct text content)
{
    size_t done = 0;

    while (done < content.size) {
        const size_t left = content.size - done;
        const ssize_t written =
            write(file, content.data + done, left < PIECE ? left : PIECE);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        if (written == 0) {
            errno = EIO;
            return false;
        }
        done += (size_t)written;
        if (done % STRETCH < (size_t)written && done >= STRETCH &&
            !write_out(file, done / STRETCH * STRETCH))
            return false;
    }
    return true;
}

/*
 * The stretch before `end`. An error told here the fsync would not repeat; but
 * a sandbox may know no such call, or forbid it.
 */
static bool write_out(int file, size_t end)
{
    const unsigned and_wait = SYNC_FILE_RANGE_WAIT_BEFORE |
                              SYNC_FILE_RANGE_WRITE |
                              SYNC_FILE_RANGE_WAIT_AFTER;

    return sync_file_range(file, (off_t)(end - STRETCH), STRETCH, and_wait) ==
               0 ||
           (errno != EIO && errno != ENOSPC && errno != EDQUOT);
}

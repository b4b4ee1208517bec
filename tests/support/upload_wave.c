/*
 * A thread for each client. The files differ in their first bytes alone, so
 * that there is one block of memory for all of them.
 */
#include "tests/support/upload_wave.h"

#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/service_story.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOUNDARY "a-boundary-of-the-tests"

enum { MARK = 16, PIECE = 64 * 1024 };

struct uploader {
    const struct upload_wave *wave;
    const char *filler; /* what follows the mark */
    size_t number;
    bool is_accepted;
    pthread_t thread;
};

static void write_mark(char ret_mark[MARK + 1], const struct upload_wave *wave,
                       size_t number);
static void *run(void *context);
static bool send_file(const struct uploader *uploader,
                      struct http_client *speaker);
static bool send_paced(struct http_client *speaker, struct text bytes,
                       double rate);
static void write_start(struct buffer *body, const struct uploader *uploader);
static bool verify_one(const struct upload_wave *wave, const char *filler,
                       size_t number);
static bool has_content(int file, const char *mark, struct text filler);

size_t upload_wave_run(const struct upload_wave *wave)
{
    struct uploader *uploaders = xcalloc(wave->clients, sizeof *uploaders);
    const char *filler = wave->filler;
    size_t accepted = 0;

    for (size_t i = 0; i < wave->clients; i++) {
        uploaders[i] =
            (struct uploader){.wave = wave, .filler = filler, .number = i};
        if (pthread_create(&uploaders[i].thread, NULL, run, &uploaders[i]) != 0)
            fatal("no thread for a client");
    }
    for (size_t i = 0; i < wave->clients; i++) {
        pthread_join(uploaders[i].thread, NULL);
        accepted += uploaders[i].is_accepted;
    }
    free(uploaders);
    return accepted;
}

size_t upload_wave_verify(const struct upload_wave *wave)
{
    size_t right = 0;

    for (size_t i = 0; i < wave->clients; i++)
        right += verify_one(wave, wave->filler, i);
    return right;
}

/* All byte values, in an order that does not repeat soon: xorshift. */
char *upload_wave_filler(size_t bytes)
{
    const size_t size = bytes - MARK;
    char *filler = xmalloc(size);
    uint64_t state = 88172645463325252;

    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        filler[i] = (char)(state >> 32);
    }
    return filler;
}

static void write_mark(char ret_mark[MARK + 1], const struct upload_wave *wave,
                       size_t number)
{
    snprintf(ret_mark, MARK + 1, "%07zu/%07zu\n", wave->number % 10000000,
             number % 10000000);
}

static void *run(void *context)
{
    struct uploader *uploader = context;
    struct http_client *speaker = http_client_new(uploader->wave->port);
    const struct reply *reply;

    http_client_set_timeout_ms(speaker, 120000);
    /* As if it had a machine of its own: its kernel's haste would be ours. */
    http_client_set_send_buffer(speaker, 64 * 1024);
    if (send_file(uploader, speaker)) {
        reply = http_read_reply(speaker);
        uploader->is_accepted =
            reply->status == 200 &&
            text_starts_with(reply->body, "{\"return_code\": 0,");
        if (!uploader->is_accepted)
            fprintf(stderr, "client %zu: %d %.*s\n", uploader->number,
                    reply->status, TEXT_ARGUMENTS(reply->body));
    }
    http_client_free(speaker);
    return NULL;
}

static bool send_file(const struct uploader *uploader,
                      struct http_client *speaker)
{
    static const char end[] = "\r\n--" BOUNDARY "--\r\n";
    const struct upload_wave *wave = uploader->wave;
    const struct text filler = {uploader->filler, wave->bytes - MARK};
    struct buffer start = {NULL, 0, 0};
    struct buffer head = {NULL, 0, 0};
    bool is_sent;

    write_start(&start, uploader);
    buffer_printf(&head,
                  "POST /xqueue/submit/ HTTP/1.1\r\n"
                  "Host: 127.0.0.1\r\n"
                  "Cookie: sessionid=%s\r\n"
                  "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  wave->cookie, start.size + filler.size + sizeof end - 1);
    buffer_append_text(&head, buffer_text(&start));
    is_sent = http_send_bytes(speaker, buffer_text(&head)) &&
              send_paced(speaker, filler, wave->rate) &&
              http_send_bytes(speaker, text_of(end));
    buffer_free(&start);
    buffer_free(&head);
    return is_sent;
}

static bool send_paced(struct http_client *speaker, struct text bytes,
                       double rate)
{
    const int64_t begin_us = clock_monotonic_us();
    size_t done = 0;

    if (rate <= 0)
        return http_send_bytes(speaker, bytes);
    while (done < bytes.size) {
        const size_t left = bytes.size - done;
        const size_t size = left < PIECE ? left : PIECE;
        const int64_t due_us = begin_us + (int64_t)((double)done * 1e6 / rate);
        const struct timespec due = {.tv_sec = due_us / 1000000,
                                     .tv_nsec = due_us % 1000000 * 1000};

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) ==
               EINTR)
            continue;
        if (!http_send_bytes(speaker, (struct text){bytes.data + done, size}))
            return false;
        done += size;
    }
    return true;
}

/* To behind the mark of the file. */
static void write_start(struct buffer *body, const struct uploader *uploader)
{
    char mark[MARK + 1];

    write_mark(mark, uploader->wave, uploader->number);
    buffer_printf(
        body,
        "--" BOUNDARY "\r\n"
        "Content-Disposition: form-data; name=\"xqueue_header\"\r\n\r\n"
        "{\"lms_callback_url\": \"http://127.0.0.1:1/up/%zu/%zu\","
        " \"lms_key\": \"key\", \"queue_name\": \"up%zu\"}\r\n"
        "--" BOUNDARY "\r\n"
        "Content-Disposition: form-data; name=\"xqueue_body\"\r\n\r\nbody\r\n"
        "--" BOUNDARY "\r\n"
        "Content-Disposition: form-data; name=\"a.bin\"; filename=\"a.bin\""
        "\r\n\r\n%s",
        uploader->wave->number, uploader->number, uploader->number, mark);
}

static bool verify_one(const struct upload_wave *wave, const char *filler,
                       size_t number)
{
    const struct text rest = {filler, wave->bytes - MARK};
    const char *path =
        arena_printf(scratch, "%s/up%zu", service_media_root(service), number);
    DIR *names = opendir(path);
    const struct dirent *entry;
    char mark[MARK + 1];
    size_t files = 0;
    size_t right = 0;

    write_mark(mark, wave, number);
    if (names == NULL)
        return false;
    while ((entry = readdir(names)) != NULL) {
        int file;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        files++;
        file = openat(dirfd(names), entry->d_name, O_RDONLY | O_CLOEXEC);
        right += file >= 0 && has_content(file, mark, rest);
        close(file);
        unlinkat(dirfd(names), entry->d_name, 0);
    }
    closedir(names);
    return files == 1 && right == 1;
}

static bool has_content(int file, const char *mark, struct text filler)
{
    const size_t size = MARK + filler.size;
    struct stat facts;
    char *content;
    bool is_right;

    if (fstat(file, &facts) != 0 || (size_t)facts.st_size != size)
        return false;
    content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (content == MAP_FAILED)
        return false;
    is_right = memcmp(content, mark, MARK) == 0 &&
               memcmp(content + MARK, filler.data, filler.size) == 0;
    munmap(content, size);
    return is_right;
}

/*
 * Large uploads, all at the same time: each client has a queue of its own,
 * "up0", "up1" and so on, and sends one submission with one file. For
 * benchmarks; beside service_story.h.
 */
#ifndef XQUEUE_TESTS_SUPPORT_UPLOAD_WAVE_H
#define XQUEUE_TESTS_SUPPORT_UPLOAD_WAVE_H

#include <stddef.h>
#include <stdint.h>

struct upload_wave {
    uint16_t port;
    const char *cookie; /* of a session */
    size_t clients;
    size_t bytes; /* of each file; all but the first 16 are the same in all */
    const char *filler; /* those: of upload_wave_filler() */
    double rate;        /* bytes a second that each client sends; 0: any */
    size_t number; /* of the wave: makes its headers and files unlike others */
};

/* For files of so many bytes; to be freed. Takes a while. */
char *upload_wave_filler(size_t bytes);

/* Back when all have been answered: how many were accepted. */
size_t upload_wave_run(const struct upload_wave *wave);

/*
 * How many clients' folders hold exactly one file, and that is, byte for
 * byte, the one that was sent. Removes what it found.
 */
size_t upload_wave_verify(const struct upload_wave *wave);

#endif

/*
 * A MEDIA_ROOT for a test program.
 */
#include "tests/support/media_root.h"

#include "tests/support/service_story.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static const char *path_of(const char *queue, const char *key);

void media_root_add(const char *queue, const char *key, struct text content,
                    int age_s)
{
    FILE *file;

    mkdir(path_of(queue, ""), 0700);
    file = fopen(path_of(queue, key), "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content.data, 1, content.size, file),
                      content.size);
    ck_assert_int_eq(fclose(file), 0);
    media_root_set_age(queue, key, age_s);
}

void media_root_set_age(const char *queue, const char *key, int age_s)
{
    const struct timespec then = {.tv_sec = time(NULL) - age_s};

    ck_assert_int_eq(utimensat(AT_FDCWD, path_of(queue, key),
                               (const struct timespec[]){then, then}, 0),
                     0);
}

bool media_root_has(const char *queue, const char *key)
{
    struct stat facts;

    return stat(path_of(queue, key), &facts) == 0;
}

size_t media_root_count(const char *queue)
{
    DIR *names = opendir(path_of(queue, ""));
    const struct dirent *entry;
    size_t count = 0;

    if (names == NULL)
        return 0;
    while ((entry = readdir(names)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(names);
    return count;
}

/* Good until the next call. */
static const char *path_of(const char *queue, const char *key)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s/%s", service_media_root(service), queue,
             key);
    return path;
}

/*
 * The prefixes of a path, read from left to right.
 */
#include "tests/tools/lms_sink/manner.h"

#include "server/base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct failing_path {
    struct failing_path *next;
    char *uri;
    long calls;
};

struct manners {
    struct failing_path *failing;
};

static bool next_number(const char **path, const char *word, long *ret_number);
static long count_call(struct manners *manners, const char *uri);

struct manners *manners_new(void)
{
    return xcalloc(1, sizeof(struct manners));
}

void manners_free(struct manners *manners)
{
    struct failing_path *path;

    while ((path = manners->failing) != NULL) {
        manners->failing = path->next;
        free(path->uri);
        free(path);
    }
    free(manners);
}

struct manner manners_read(struct manners *manners, const char *uri)
{
    struct manner manner = {.status = 200};
    const char *path = uri;
    long number;
    long code;

    for (;;) {
        if (next_number(&path, "/status/", &number)) {
            manner.status = (int)number;
        } else if (next_number(&path, "/slow/", &number)) {
            manner.slow_ms = number;
        } else if (next_number(&path, "/redirect/", &number)) {
            manner.status = (int)number;
            manner.location = path;
            return manner;
        } else if (next_number(&path, "/fail/", &number) &&
                   next_number(&path, "/", &code)) {
            if (count_call(manners, uri) <= number)
                manner.status = (int)code;
        } else {
            if (strncmp(path, "/drop/", strlen("/drop/")) == 0)
                manner.status = 0;
            return manner;
        }
    }
}

/* Move over WORD and the number behind it; the path then starts with '/'. */
static bool next_number(const char **path, const char *word, long *ret_number)
{
    size_t length = strlen(word);
    char *end;
    long number;

    if (strncmp(*path, word, length) != 0)
        return false;
    number = strtol(*path + length, &end, 10);
    if (end == *path + length || *end != '/')
        return false;
    *path = end;
    *ret_number = number;
    return true;
}

static long count_call(struct manners *manners, const char *uri)
{
    struct failing_path *path = manners->failing;

    while (path != NULL && strcmp(path->uri, uri) != 0)
        path = path->next;
    if (path == NULL) {
        path = xcalloc(1, sizeof *path);
        path->uri = xstrdup(uri);
        path->next = manners->failing;
        manners->failing = path;
    }
    return ++path->calls;
}

/*
 * Two growing arrays.
 */
#include "tests/tools/grader/counts.h"

#include "server/base/json.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct path_count {
    char *path;
    struct count count;
};

struct counts {
    struct path_count *paths;
    size_t path_count;
    struct count *submissions; /* by number */
    size_t room;
};

struct counts *counts_new(void)
{
    return xcalloc(1, sizeof(struct counts));
}

void counts_free(struct counts *counts)
{
    for (size_t i = 0; i < counts->path_count; i++)
        free(counts->paths[i].path);
    free(counts->paths);
    free(counts->submissions);
    free(counts);
}

struct count *counts_of_path(struct counts *counts, const char *path)
{
    size_t i = 0;

    while (i < counts->path_count && strcmp(counts->paths[i].path, path) != 0)
        i++;
    if (i == counts->path_count) {
        counts->paths =
            xrealloc(counts->paths, (i + 1) * sizeof *counts->paths);
        counts->paths[i] =
            (struct path_count){.path = xstrdup(path), .count = {0, 0, 0}};
        counts->path_count++;
    }
    return &counts->paths[i].count;
}

struct count *counts_of_submission(struct counts *counts, int64_t number)
{
    size_t room = counts->room == 0 ? 1024 : counts->room;

    while (room <= (size_t)number)
        room *= 2;
    if (room > counts->room) {
        counts->submissions =
            xrealloc(counts->submissions, room * sizeof *counts->submissions);
        memset(counts->submissions + counts->room, 0,
               (room - counts->room) * sizeof *counts->submissions);
        counts->room = room;
    }
    return &counts->submissions[number];
}

void count_begin(struct count *count)
{
    count->came++;
    count->in_hand++;
    if (count->in_hand > count->most)
        count->most = count->in_hand;
}

void count_end(struct count *count)
{
    count->in_hand--;
}

void counts_write_paths(const struct counts *counts, struct buffer *lines)
{
    for (size_t i = 0; i < counts->path_count; i++) {
        const struct path_count *path = &counts->paths[i];

        buffer_append_string(lines, "{\"path\": ");
        json_append_string(lines, text_of(path->path));
        buffer_printf(
            lines, ", \"came\": %lld, \"in_hand\": %lld, \"most\": %lld}\n",
            (long long)path->count.came, (long long)path->count.in_hand,
            (long long)path->count.most);
    }
}

/*
 * The files that rows of submissions name.
 */
#include "server/cli/file_keys.h"

#include "server/base/json.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"
#include "server/storage/queue_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE "KEY_FOR_EXTERNAL_DICTS"

enum { MAP_BYTES = 16 * 1024 * 1024, FEWEST_FILES = 64 };

/* Where the keys of a map go. */
struct reading {
    struct file_list *list;
    struct text queue_name;
};

static bool add_from_map(struct file_keys *keys, struct file_work *work,
                         const struct storage_file *map, struct arena *arena);
static void add_all(struct file_list *list, struct text queue_name,
                    const struct json_value *map);
static void add_one(struct text name, const struct json_value *key,
                    void *reading);
static void say_unreadable(const struct storage_file *map, const char *reason,
                           struct arena *arena);

struct storage_file *file_list_add(struct file_list *list)
{
    if (list->count == list->capacity) {
        list->capacity =
            list->capacity == 0 ? FEWEST_FILES : 2 * list->capacity;
        list->files =
            xrealloc(list->files, list->capacity * sizeof *list->files);
    }
    list->files[list->count] = (struct storage_file){.queue_name = TEXT_ABSENT};
    return &list->files[list->count++];
}

void file_list_free(struct file_list *list)
{
    free(list->files);
    *list = (struct file_list){NULL, 0, 0};
}

bool file_list_delete(const struct file_list *list, struct file_work *work,
                      int64_t *total)
{
    struct storage_delete job = {.files = list->files, .count = list->count};

    if (list->count == 0)
        return true;
    file_work_delete(work, &job);
    *total += (int64_t)job.deleted;
    if (job.status == STORAGE_OK)
        return true;
    fprintf(stderr, "xqueue: deleting files failed: %s\n", job.reason);
    return false;
}

void file_keys_free(struct file_keys *keys)
{
    file_list_free(&keys->files);
    file_list_free(&keys->maps);
}

bool file_keys_are_none(const struct file_row *row)
{
    return row->files.size == 0 || text_equal_string(row->files, "{}");
}

bool file_keys_add(struct file_keys *keys, struct file_work *work,
                   const struct file_row *row)
{
    const struct json_value *map;
    const struct json_value *note = NULL;
    const size_t maps = keys->maps.count;
    struct arena *arena;
    bool is_read = true;

    if (file_keys_are_none(row))
        return true;
    arena = arena_new();
    if (json_parse_object(arena, row->files, &map)) {
        if (!row->has_map)
            note = json_get(map, NOTE);
        if (note == NULL)
            add_all(&keys->files, row->queue_name, map);
        else
            add_all(&keys->maps, row->queue_name, map);
    }
    for (size_t i = maps; i < keys->maps.count && is_read; i++)
        is_read = add_from_map(keys, work, &keys->maps.files[i], arena);
    arena_free(arena);
    return is_read;
}

/* {"files": {field name: URL}, "keys": {field name: key}} */
static bool add_from_map(struct file_keys *keys, struct file_work *work,
                         const struct storage_file *map, struct arena *arena)
{
    struct storage_get get = {.file = *map, .max_bytes = MAP_BYTES};
    const struct json_value *whole;
    const struct json_value *inner;

    file_work_get(work, &get);
    if (get.status == STORAGE_NOT_FOUND)
        return true;
    if (get.status != STORAGE_OK) {
        say_unreadable(map, get.reason, arena);
        return false;
    }
    if (!json_parse_object(arena, get.content, &whole))
        return true;
    inner = json_get(whole, "keys");
    if (inner != NULL && json_kind(inner) == JSON_OBJECT)
        add_all(&keys->files, map->queue_name, inner);
    return true;
}

static void add_all(struct file_list *list, struct text queue_name,
                    const struct json_value *map)
{
    struct reading reading = {list, queue_name};

    json_each(map, add_one, &reading);
}

static void add_one(struct text name, const struct json_value *key,
                    void *context)
{
    const struct reading *reading = context;
    const struct text text = json_text(key);
    struct storage_file *file;

    (void)name;
    if (text_is_absent(text) || !file_key_is_valid(text))
        return;
    file = file_list_add(reading->list);
    file->queue_name = reading->queue_name;
    memcpy(file->key, text.data, FILE_KEY_SIZE);
}

static void say_unreadable(const struct storage_file *map, const char *reason,
                           struct arena *arena)
{
    const struct text queue = queue_in_url(map->queue_name, arena);

    fprintf(stderr, "xqueue: the map of files %.*s/%s cannot be read: %s\n",
            TEXT_ARGUMENTS(queue), map->key, reason);
}

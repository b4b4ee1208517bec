/*
 * The files of one submission as JSON texts.
 */
#include "server/storage/file_map.h"

#include "server/base/json.h"
#include "server/storage/file_key.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_NOTE "KEY_FOR_EXTERNAL_DICTS"
#define URLS_NOTE "URL_FOR_EXTERNAL_DICTS"

/* One map being written. */
struct writing {
    struct arena *arena;
    const struct file_links *links; /* NULL: the values are URLs already */
    struct buffer out;
    size_t count;
    bool is_good;    /* so far */
    bool lacks_link; /* and then it is not good */
};

static bool are_written_out(struct text urls);
static struct text end(struct writing *writing);
static void add(struct writing *writing, struct text name, struct text value);
static bool write_all(struct arena *arena, const struct file_links *links,
                      const struct json_value *map, struct text *ret_files,
                      bool *ret_lacks_link);
static void write_one(struct text name, const struct json_value *value,
                      void *writing);
static struct text link_to(struct arena *arena, const struct file_links *links,
                           struct text key);
static bool is_elsewhere(const struct json_value *keys, struct text urls);
static enum file_map_status find_file(const struct json_value *keys,
                                      char ret_key[FILE_KEY_SIZE + 1]);

struct text file_map_keys(struct arena *arena, const struct storage_put *put)
{
    struct writing writing = {.arena = arena};

    for (size_t i = 0; i < put->count; i++)
        add(&writing, put->uploads[i].name, text_of(put->uploads[i].key));
    return end(&writing);
}

struct text file_map_urls(struct arena *arena, const struct storage_put *put,
                          const struct file_links *links)
{
    struct writing writing = {.arena = arena};

    for (size_t i = 0; i < put->count; i++)
        add(&writing, put->uploads[i].name,
            link_to(arena, links, text_of(put->uploads[i].key)));
    return end(&writing);
}

enum file_map_status file_map_links(struct arena *arena,
                                    const struct file_links *links,
                                    struct text keys, struct text urls,
                                    struct text *ret_files,
                                    char ret_key[FILE_KEY_SIZE + 1])
{
    const struct json_value *map;
    bool lacks_link;

    *ret_files = urls;
    if (text_is_absent(keys) || text_equal_string(keys, "{}") ||
        !json_parse_object(arena, keys, &map))
        return FILE_MAP_WRITTEN;
    if (is_elsewhere(map, urls))
        return find_file(map, ret_key);
    if (write_all(arena, links, map, ret_files, &lacks_link) || !lacks_link)
        return FILE_MAP_WRITTEN;
    if (links->storage == NULL && are_written_out(urls))
        return FILE_MAP_WRITTEN;
    return FILE_MAP_AWAY;
}

/* Many are left out of their column: then without keys nothing is known. */
static bool are_written_out(struct text urls)
{
    return !text_is_absent(urls) && !text_equal_string(urls, "{}") &&
           !text_starts_with(urls, "{\"" URLS_NOTE "\":");
}

/* Django servers of long ago may have written no keys into it. */
bool file_map_read(struct arena *arena, const struct file_links *links,
                   struct text content, struct text *ret_files)
{
    const struct json_value *whole;
    const struct json_value *keys;
    const struct json_value *urls;
    bool lacks_link;

    if (!json_parse_object(arena, content, &whole))
        return false;
    keys = json_get(whole, "keys");
    urls = json_get(whole, "files");
    if (keys != NULL && json_kind(keys) == JSON_OBJECT &&
        write_all(arena, links, keys, ret_files, &lacks_link))
        return true;
    return urls != NULL && json_kind(urls) == JSON_OBJECT &&
           write_all(arena, NULL, urls, ret_files, &lacks_link);
}

static struct text end(struct writing *writing)
{
    buffer_append_string(&writing->out, writing->count == 0 ? "{}" : "}");
    arena_defer(writing->arena, free, writing->out.data);
    return buffer_text(&writing->out);
}

static void add(struct writing *writing, struct text name, struct text value)
{
    buffer_append_string(&writing->out, writing->count++ == 0 ? "{" : ", ");
    json_append_string(&writing->out, name);
    buffer_append_string(&writing->out, ": ");
    json_append_string(&writing->out, value);
}

/*
 * False when there is nothing in it, a value that is none, or no link to what
 * may well be there.
 */
static bool write_all(struct arena *arena, const struct file_links *links,
                      const struct json_value *map, struct text *ret_files,
                      bool *ret_lacks_link)
{
    struct writing writing = {.arena = arena, .links = links, .is_good = true};
    struct text files;

    json_each(map, write_one, &writing);
    files = end(&writing);
    *ret_lacks_link = writing.lacks_link;
    if (!writing.is_good || writing.count == 0)
        return false;
    *ret_files = files;
    return true;
}

static void write_one(struct text name, const struct json_value *value,
                      void *context)
{
    struct writing *writing = context;
    struct text text = json_text(value);

    if (writing->links != NULL && file_key_is_valid(text)) {
        text = link_to(writing->arena, writing->links, text);
        writing->lacks_link = writing->lacks_link || text_is_absent(text);
    } else if (writing->links != NULL) {
        text = TEXT_ABSENT;
    }
    writing->is_good = writing->is_good && !text_is_absent(text);
    if (writing->is_good)
        add(writing, name, text);
}

static struct text link_to(struct arena *arena, const struct file_links *links,
                           struct text key)
{
    if (links->storage == NULL)
        return TEXT_ABSENT;
    return storage_link(links->storage, arena, links->queue_name,
                        arena_string(arena, key), links->base, links->now_s);
}

/*
 * Both columns say so: a learner's file may have either name, but not both.
 */
static bool is_elsewhere(const struct json_value *keys, struct text urls)
{
    return json_get(keys, KEYS_NOTE) != NULL &&
           text_starts_with(urls, "{\"" URLS_NOTE "\":");
}

/* What is not in a file was in the database, or else it would not say so. */
static enum file_map_status find_file(const struct json_value *keys,
                                      char ret_key[FILE_KEY_SIZE + 1])
{
    const struct text key = json_text(json_get(keys, KEYS_NOTE));

    if (text_is_absent(key) || !file_key_is_valid(key))
        return FILE_MAP_GONE;
    memcpy(ret_key, key.data, FILE_KEY_SIZE);
    ret_key[FILE_KEY_SIZE] = '\0';
    return FILE_MAP_IN_FILE;
}

/*
 * The files of one submission as JSON texts: {field name: key} as the database
 * keeps them, {field name: URL} as graders get them. Any thread.
 */
#ifndef XQUEUE_STORAGE_FILE_MAP_H
#define XQUEUE_STORAGE_FILE_MAP_H

#include "server/storage/storage.h"

/* For whom links are made. */
struct file_links {
    const struct storage *storage; /* NULL: there is none */
    struct text queue_name;
    struct text base; /* see storage_link() */
    int64_t now_s;
};

/* What was just put. As Python's json.dumps has it, in the arena; so below. */
struct text file_map_keys(struct arena *arena, const struct storage_put *put);
struct text file_map_urls(struct arena *arena, const struct storage_put *put,
                          const struct file_links *links);

enum file_map_status {
    FILE_MAP_WRITTEN,
    FILE_MAP_IN_FILE, /* a file of that key holds it: see file_map_read() */
    FILE_MAP_GONE,    /* it was kept elsewhere, and is not there any more */
    FILE_MAP_AWAY     /* there are files, but nothing to make links with now */
};

/*
 * What graders get for the columns s3_keys and s3_urls: links made anew; or
 * the URLs as they stand where the keys are none, or without a storage. Only a
 * Django server leaves rows whose map is in a file.
 */
enum file_map_status file_map_links(struct arena *arena,
                                    const struct file_links *links,
                                    struct text keys, struct text urls,
                                    struct text *ret_files,
                                    char ret_key[FILE_KEY_SIZE + 1]) MUST_CHECK;

enum { FILE_MAP_BYTES = 1024 * 1024 }; /* a file with more holds no map */

/* What graders get for the content of such a file; false when it has no map. */
bool file_map_read(struct arena *arena, const struct file_links *links,
                   struct text content, struct text *ret_files) MUST_CHECK;

#endif

/*
 * The folders of a local storage and the names in them. Worker. Functions
 * that return a status give the reason of all but STORAGE_OK and
 * STORAGE_NOT_FOUND. Internal to server/storage/local*.c.
 */
#ifndef XQUEUE_STORAGE_LOCAL_FOLDER_H
#define XQUEUE_STORAGE_LOCAL_FOLDER_H

#include "server/storage/local.h"

struct stat;

/* Says "WHAT: errno in words"; for `return local_failed(...)`. */
enum storage_status local_failed(char ret_reason[STORAGE_REASON_SIZE],
                                 const char *what);

/* The size and the time of a file. */
void local_describe(const struct stat *facts, struct storage_file *file);

/* MEDIA_ROOT; the caller closes it. */
enum storage_status local_open_root(const struct local *local, int *ret_root,
                                    char ret_reason[STORAGE_REASON_SIZE]);

/* The folder of a queue; the caller closes it. */
enum storage_status local_find_folder(const struct local *local,
                                      struct text queue_name, int *ret_folder,
                                      char ret_reason[STORAGE_REASON_SIZE]);

/* The same; when it is not there it is made. */
enum storage_status local_make_folder(const struct local *local,
                                      struct text queue_name, int *ret_folder,
                                      char ret_reason[STORAGE_REASON_SIZE]);

/*
 * The queue of a folder below the root; false when it is none of a queue's.
 * The name is in the arena.
 */
bool local_queue_of(int root, const char *folder, struct arena *arena,
                    struct text *ret_queue_name) MUST_CHECK;

/* --- files that are being written ------------------------------------- */

enum { LOCAL_TEMPORARY_SIZE = sizeof ".part-0123456789-0123456789abcdef" };

/* A name that nobody else has. It tells its age. */
void local_temporary_name(char ret_name[LOCAL_TEMPORARY_SIZE]);

/* Such a name, and more than an hour old? */
bool local_is_left_over(const char *name, int64_t now_s);

/* A new file, durable but for its name. Nothing is left when it fails. */
enum storage_status local_write(int folder, const char *name,
                                struct text content,
                                char ret_reason[STORAGE_REASON_SIZE]);

#endif

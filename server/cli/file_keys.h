/*
 * The files that rows of submissions name, for commands. One thread.
 */
#ifndef XQUEUE_CLI_FILE_KEYS_H
#define XQUEUE_CLI_FILE_KEYS_H

#include "db/file_rows.h"
#include "server/cli/file_work.h"

/* Zero-initialise it; it grows. Queue names are borrowed. */
struct file_list {
    struct storage_file *files; /* owns */
    size_t count;
    size_t capacity;
};

struct storage_file *file_list_add(struct file_list *list);
void file_list_free(struct file_list *list);

/*
 * Delete these files from the storage, and count them in *total. False, with
 * the reason on standard error, when some are still there.
 */
bool file_list_delete(const struct file_list *list, struct file_work *work,
                      int64_t *total) MUST_CHECK;

struct file_keys {
    struct file_list files; /* that came with submissions */
    struct file_list maps;  /* of a Django server, which name such files */
};

/* "{}" and the like? */
bool file_keys_are_none(const struct file_row *row);

/*
 * Add what a row names; what is no key is no file. A map that is not there
 * names nothing. False, with the reason on standard error, when one cannot be
 * read.
 */
bool file_keys_add(struct file_keys *keys, struct file_work *work,
                   const struct file_row *row) MUST_CHECK;

void file_keys_free(struct file_keys *keys);

#endif

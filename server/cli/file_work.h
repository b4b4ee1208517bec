/*
 * The storage of uploaded files for commands, which wait for what they ask:
 * each call runs an event loop until it is done. One thread.
 */
#ifndef XQUEUE_CLI_FILE_WORK_H
#define XQUEUE_CLI_FILE_WORK_H

#include "server/config/config.h"
#include "server/storage/storage.h"

struct file_work;

/* NULL, after saying why on standard error. Borrows the config for life. */
struct file_work *file_work_begin(const struct config *config);
void file_work_end(struct file_work *work); /* NULL is legal */

/*
 * As storage_await_*(). What lives in the task's arena there lives until the
 * next call here.
 */
void file_work_put(struct file_work *work, struct storage_put *job);
void file_work_get(struct file_work *work, struct storage_get *job);
void file_work_delete(struct file_work *work, struct storage_delete *job);
void file_work_list(struct file_work *work, struct storage_list *job);

#endif

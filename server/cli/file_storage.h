/*
 * The storage of uploaded files, as the configuration says.
 */
#ifndef XQUEUE_CLI_FILE_STORAGE_H
#define XQUEUE_CLI_FILE_STORAGE_H

#include "server/config/config.h"
#include "server/storage/storage.h"

/* `secret` is for where SECRET_KEY is not set. Borrows from both. */
struct storage_settings file_storage_settings(const struct config *config,
                                              struct text secret);

/*
 * Sets env->storage, by env->config. It stays NULL, with a line in the log,
 * when files can be neither stored nor read: all else may go on.
 */
void file_storage_start(struct env *env, struct text secret);

#endif

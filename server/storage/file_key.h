/*
 * The key of an uploaded file: the MD5 of xqueue_header and the field name,
 * one after the other, as the Django server makes it (R56). Any thread; many
 * of them are worth a worker.
 */
#ifndef XQUEUE_STORAGE_FILE_KEY_H
#define XQUEUE_STORAGE_FILE_KEY_H

#include "server/storage/storage.h"

void file_key(struct text header, struct text name,
              char ret_key[FILE_KEY_SIZE + 1]);

/* The keys of all uploads. */
void file_keys(struct storage_put *put);

/* 32 digits, lower case. Nothing else ever becomes part of a path. */
bool file_key_is_valid(struct text key);

#endif

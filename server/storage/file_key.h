/*
 * The key of an uploaded file: what it is called in its queue. Any thread.
 */
#ifndef XQUEUE_STORAGE_FILE_KEY_H
#define XQUEUE_STORAGE_FILE_KEY_H

#include "server/storage/storage.h"

/*
 * The MD5 of xqueue_header and the field name, one after the other, as the
 * Django server makes it (R56). The same header again gives the same keys.
 */
void file_key(struct text header, struct text name,
              char ret_key[FILE_KEY_SIZE + 1]);

/* One that nobody else has, nor ever had: of random digits. */
void file_key_new(char ret_key[FILE_KEY_SIZE + 1]);

/* 32 digits, lower case. Nothing else ever becomes part of a path. */
bool file_key_is_valid(struct text key);

#endif

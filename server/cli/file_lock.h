/*
 * Who deletes files for good does it alone: what two have on their lists might
 * be deleted by the one, stored anew under the same key, and deleted by the
 * other.
 */
#ifndef XQUEUE_CLI_FILE_LOCK_H
#define XQUEUE_CLI_FILE_LOCK_H

#include "server/cli/work.h"

/*
 * To be had before making a list, and once more before each deletion. It ends
 * with the work. False after saying why on standard error.
 */
bool file_lock_take(struct work *work) MUST_CHECK;

#endif

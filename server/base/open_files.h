/*
 * How many files and sockets the process may have open.
 */
#ifndef XQUEUE_BASE_OPEN_FILES_H
#define XQUEUE_BASE_OPEN_FILES_H

#include <stddef.h>

/*
 * As many as the system lets us, which is often far more than we begin with;
 * how many that is, SIZE_MAX when there is no limit. Any thread.
 */
size_t open_files_raise(void);

#endif

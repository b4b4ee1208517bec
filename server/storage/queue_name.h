/*
 * What a queue is called where its files are: as a folder, and in a URL. A
 * queue's name may hold any byte. Pure.
 */
#ifndef XQUEUE_STORAGE_QUEUE_NAME_H
#define XQUEUE_STORAGE_QUEUE_NAME_H

#include "server/base/arena.h"

enum { QUEUE_FOLDER_SIZE = 256 }; /* with the NUL; what a folder can have */

enum queue_folder_form {
    QUEUE_FOLDER_NAME,  /* tells the queue's name */
    QUEUE_FOLDER_DIGEST /* does not: the name is too long, or empty */
};

/*
 * The name as it is, as with the Django server, whose folders are found so;
 * but control characters, '/', '%' and a '.' in front become %XX. A name that
 * is too long becomes "%sha256-" and a digest, which is no %XX. No two queues
 * have the same folder.
 */
enum queue_folder_form queue_folder_of(struct text queue_name,
                                       char ret_folder[QUEUE_FOLDER_SIZE]);

/* The queue of a folder that tells it; false when it is no such folder. */
bool queue_of_folder(const char *folder, struct arena *arena,
                     struct text *ret_queue_name) MUST_CHECK;

/* One part of a path: everything as %XX but letters, digits and "-._~". */
struct text queue_in_url(struct text queue_name, struct arena *arena);

#endif

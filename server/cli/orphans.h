/*
 * Finding the files that no submission names, for commands. One thread.
 *
 * First all keys that submissions name, then page after page of what there
 * is. Whatever was stored less than an hour before the start may belong to a
 * submission that is just being stored, and is left alone.
 */
#ifndef XQUEUE_CLI_ORPHANS_H
#define XQUEUE_CLI_ORPHANS_H

#include "server/cli/file_work.h"
#include "server/cli/work.h"

struct orphans {
    struct work *work; /* borrows, as all here */
    struct file_work *files;
    bool deletes; /* them, once a page is looked through */

    /* Called for each; may be NULL. Already counted. */
    void (*found)(const struct orphans *orphans,
                  const struct storage_file *file);

    /* Out, also of a search that failed halfway. */
    int64_t count;
    int64_t bytes;
    int64_t deleted;
};

/*
 * Tells how far it is on standard error, every few seconds, and why when it
 * fails. Takes up to 48 bytes of memory for each file of a submission.
 */
bool orphans_find(struct orphans *orphans) MUST_CHECK;

#endif

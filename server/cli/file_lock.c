/*
 * Who deletes files for good does it alone.
 */
#include "server/cli/file_lock.h"

#include "db/named_lock.h"

#include <stdio.h>

enum { PATIENCE_S = 60 };

bool file_lock_take(struct work *work)
{
    bool is_ours;
    enum db_status status = named_lock_take(work->db, "files", 0, &is_ours);

    if (status == DB_OK && !is_ours) {
        fputs("xqueue: another command is deleting files: waiting\n", stderr);
        status = named_lock_take(work->db, "files", PATIENCE_S, &is_ours);
    }
    if (status != DB_OK)
        work_failed(work, "locking the files", status);
    else if (!is_ours)
        fputs("xqueue: another command is still deleting files: try again when"
              " it has ended\n",
              stderr);
    return status == DB_OK && is_ours;
}

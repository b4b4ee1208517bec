/*
 * What the rows of submissions say of their files: the queue, and a map from
 * field names to keys, as JSON text. In queue_submission one entry
 * KEY_FOR_EXTERNAL_DICTS, of a Django server, may stand in its place: then the
 * file with that key holds the map.
 */
#ifndef XQUEUE_DB_FILE_ROWS_H
#define XQUEUE_DB_FILE_ROWS_H

#include "db/conn.h"

struct file_row {
    int64_t id;
    struct text queue_name;
    struct text files; /* never absent, but maybe no JSON */
    bool has_map;      /* it is from xqueue_files */
};

struct file_rows {
    int64_t last_id; /* 0 to begin with; moves on */

    struct file_row *rows; /* out; in the arena */
    size_t count;
    bool more; /* there are others */
};

enum { FILE_ROWS_PIECE = 20000 };

/*
 * The submissions with files among the next FILE_ROWS_PIECE ones. Blocking:
 * for commands.
 */
enum db_status file_rows_read(struct db_conn *db, struct arena *arena,
                              struct file_rows *rows) MUST_CHECK;

/* The map, of queue_submission and xqueue_files under these names. */
#define SQL_FILES_OF(submission, files)                                        \
    "COALESCE(" files ".map, " submission ".s3_keys)"

/* Has a row of queue_submission a map that is not empty? */
#define SQL_HAS_FILES(submission) submission ".s3_keys NOT IN ('', '{}')"

#endif

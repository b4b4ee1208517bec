/*
 * The columns s3_keys and s3_urls of queue_submission, and xqueue_files for
 * what does not fit there. Inside a caller's transaction.
 *
 * s3_keys is {field name: key}: from it links are made anew whenever a grader
 * gets the submission. s3_urls is {field name: link}, of the time of the
 * submit; only a Django server goes by it.
 */
#ifndef XQUEUE_DB_FILES_H
#define XQUEUE_DB_FILES_H

#include "db/conn.h"

/* What there is of a submission's files: JSON texts, or absent without any. */
struct file_texts {
    struct text keys;
    struct text urls;
};

/* What stands in the columns, in ASCII and at most 1,024 characters each. */
struct file_texts files_columns(const struct file_texts *texts);

/* Store the keys of a submission that are not in its column, if so it is. */
enum db_status files_store(struct db_conn *db, int64_t id,
                           const struct file_texts *texts) MUST_CHECK;

/* Does the column say that the keys are in xqueue_files? */
bool files_are_apart(struct text column);

/*
 * Put the keys of such a submission in the place of its columns' texts; in the
 * arena. Without them, when somebody has deleted them, nothing changes: then
 * the notes say that there were some.
 */
enum db_status files_load(struct db_conn *db, struct arena *arena, int64_t id,
                          struct file_texts *texts) MUST_CHECK;

#endif

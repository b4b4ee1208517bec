/*
 * The files of submissions in the database.
 *
 * What stands in place of a long map is as the Django server would write it.
 * Should one take over, it looks for the map at the URL, does not find it, and
 * tells its grader to try again: no submission is graded without its files,
 * and none is lost.
 */
#include "db/files.h"

#include <string.h>

enum { COLUMN = 1024 };

#define NO_FILES      "{}"
#define KEYS_NOTE     "KEY_FOR_EXTERNAL_DICTS"
#define URLS_NOTE     "URL_FOR_EXTERNAL_DICTS"
#define KEYS_APART    "{\"" KEYS_NOTE "\": \"xqueue_files\"}"
#define URLS_LEFT_OUT "{\"" URLS_NOTE "\": \"http://xqueue.invalid/\"}"

static bool holds(struct text text, const char *words);

/* A learner's file of such a name must not be taken for a note. */
struct file_texts files_columns(const struct file_texts *texts)
{
    struct file_texts columns = *texts;

    if (text_is_absent(columns.keys))
        columns.keys = text_of(NO_FILES);
    else if (columns.keys.size > COLUMN || holds(columns.keys, KEYS_NOTE))
        columns.keys = text_of(KEYS_APART);
    if (text_is_absent(columns.urls))
        columns.urls = text_of(NO_FILES);
    else if (columns.urls.size > COLUMN || holds(columns.urls, URLS_NOTE))
        columns.urls = text_of(URLS_LEFT_OUT);
    return columns;
}

/* A submission of that number may have been deleted by somebody else. */
enum db_status files_store(struct db_conn *db, int64_t id,
                           const struct file_texts *texts)
{
    const struct db_param params[] = {DB_INTEGER(id), DB_TEXT(texts->keys)};

    if (!files_are_apart(files_columns(texts).keys))
        return DB_OK;
    return db_execute(db, "REPLACE INTO xqueue_files (id, map) VALUES (?, ?)",
                      params, ARRAY_LENGTH(params), NULL);
}

bool files_are_apart(struct text column)
{
    return text_equal_string(column, KEYS_APART);
}

enum db_status files_load(struct db_conn *db, struct arena *arena, int64_t id,
                          struct file_texts *texts)
{
    const struct db_param params[] = {DB_INTEGER(id)};
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena, "SELECT map FROM xqueue_files WHERE id = ?", params,
                 ARRAY_LENGTH(params), &rows);

    if (status != DB_OK || rows.count == 0)
        return status;
    texts->keys = db_text(&rows, 0, 0);
    texts->urls = text_of(NO_FILES);
    return DB_OK;
}

static bool holds(struct text text, const char *words)
{
    return memmem(text.data, text.size, words, strlen(words)) != NULL;
}

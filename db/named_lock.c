/*
 * Locks with names. The server's lock names are for all its databases: ours
 * have the database's own name in them, in a form that is short enough.
 */
#include "db/named_lock.h"

enum db_status named_lock_take(struct db_conn *db, const char *name,
                               int64_t wait_s, bool *ret_is_ours)
{
    const struct db_param params[] = {
        DB_TEXT(text_of(name)),
        DB_INTEGER(wait_s),
    };
    struct arena *arena = arena_new();
    struct db_rows rows;
    enum db_status status = db_query(db, arena,
                                     "SELECT GET_LOCK(CONCAT('xqueue_', ?, '_',"
                                     " LEFT(SHA2(DATABASE(), 256), 40)), ?)",
                                     params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK)
        *ret_is_ours = !db_is_null(&rows, 0, 0) && db_integer(&rows, 0, 0) == 1;
    arena_free(arena);
    return status;
}

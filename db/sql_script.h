/*
 * The statements of an SQL file. Private to db/.
 */
#ifndef XQUEUE_DB_SQL_SCRIPT_H
#define XQUEUE_DB_SQL_SCRIPT_H

#include "server/base/arena.h"

/*
 * The next statement from *position on, in the arena, without its semicolon
 * and without comment lines; NULL at the end. A statement ends with a
 * semicolon at the end of a line, outside of quotes; a comment line begins
 * with "--".
 */
const char *sql_script_next(struct arena *arena, const char *script,
                            size_t *position);

#endif

/*
 * Parameter lists and multi-row statements of few shapes.
 *
 * A statement with 13 rows would be one more prepared statement for every
 * number of rows; so rows go in steps (45 are 32 + 12 + 1), and lists in
 * IN (...) are padded to a power of two with copies of the last one. What
 * travels as text (see db_defer()) has just the rows it needs.
 */
#ifndef XQUEUE_DB_PARAMS_H
#define XQUEUE_DB_PARAMS_H

#include "db/conn.h"

enum {
    DB_LADDER_TOP = 64,           /* rows of one statement */
    DB_STATEMENT_BYTES = 1 << 20, /* of their texts, unless one is longer */
};

struct db_params {
    struct arena *arena; /* borrows; the list grows in it */
    struct db_param *list;
    size_t count;
    size_t capacity;
};

struct db_params db_params_new(struct arena *arena);
void db_params_add(struct db_params *params, struct db_param param);

/*
 * The largest step that is at most `count`: 1 to 8, then powers of two and what
 * is halfway between them, up to DB_LADDER_TOP.
 */
size_t db_ladder_down(size_t count);

/* The smallest power of two that is at least `count`, and at least 2. */
size_t db_ladder_up(size_t count);

/*
 * How many of the rows from `first` on, `per_row` parameters each, go into one
 * prepared INSERT: a step, and no more bytes than a server takes at a time.
 */
size_t db_rows_of_insert(const struct db_params *params, size_t first,
                         size_t per_row);

/*
 * INSERT many rows: `head` and then a `piece` per row, `per_row` parameters
 * each, and `tail`. Several statements where need be.
 */
enum db_status db_insert_rows(struct db_conn *db, const char *head,
                              const char *piece, const char *tail,
                              const struct db_params *params,
                              size_t per_row) MUST_CHECK;

/*
 * Add `count` integers for an IN (...) list, padded, and return the list's
 * text, "?, ?, ?, ?". Count must not be 0.
 */
const char *db_params_add_list(struct db_params *params,
                               const int64_t *integers, size_t count);

/*
 * Run `head`, whose parameters are in `params`, for the rows whose key is in
 * the list: "head IN (?, ?)". Nothing is done for an empty list.
 */
enum db_status db_execute_for(struct db_conn *db, const char *head,
                              struct db_params *params, const int64_t *keys,
                              size_t count) MUST_CHECK;

/*
 * A table for FROM, made of one parameter, a db_list(): a statement of one
 * shape for any number of rows. A column is "name BIGINT PATH '$[0]'".
 */
#define DB_LIST_TABLE(columns)                                                 \
    "JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS (" columns "))"

/* `rows` rows, at least one, of `per_row` integers each; in the arena. */
struct db_param db_list(struct arena *arena, const int64_t *integers,
                        size_t rows, size_t per_row);

/* Where rows are found by a number: an index whose first column is `key`. */
struct db_index {
    const char *table;
    const char *name;
    const char *key;
};

/* Delete the rows whose key is in the list, looking each up; it may be empty */
enum db_status db_delete_for(struct db_conn *db, struct arena *arena,
                             const struct db_index *index, const int64_t *keys,
                             size_t count) MUST_CHECK;

/*
 * Add texts of which each row whose `key` is in the list gets its own, and
 * return what chooses it, "ELT(FIELD(id, ?, ?), ?, ?)". For an UPDATE of many
 * rows by one statement.
 */
const char *db_params_add_choice(struct db_params *params, const char *key,
                                 const int64_t *keys, const struct text *texts,
                                 size_t count);

#endif

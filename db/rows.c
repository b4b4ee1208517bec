/*
 * Results of prepared statements, copied into an arena. A cell is fetched
 * into a small buffer first; a longer one a second time, straight into the
 * arena, once its length is known.
 */
#include "db/conn_private.h"
#include "server/base/buffer.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL_SIZE = 256 };

/* Where the library puts one cell of the current row. */
struct column {
    bool is_integer;
    db_bool is_null;
    db_bool is_cut;
    unsigned long length;
    int64_t integer;
    char small[SMALL_SIZE];
};

struct reader {
    struct arena *arena;
    MYSQL_STMT *stmt;
    struct column *columns; /* owns */
    MYSQL_BIND *binds;      /* owns */
    size_t column_count;
    struct buffer cells; /* of struct db_cell */
};

static bool bind_columns(struct reader *reader);
static bool release(struct reader *reader);
static bool is_integer_type(enum enum_field_types type);
static bool read_all(struct reader *reader);
static bool read_cell(struct reader *reader, size_t index,
                      struct db_cell *ret_cell);
static bool read_long_text(struct reader *reader, size_t index,
                           struct text *ret_text);
static void take_rows(struct reader *reader, struct db_rows *ret_rows);
static const struct db_cell *cell_at(const struct db_rows *rows, size_t row,
                                     size_t column);

enum db_status db_query(struct db_conn *db, struct arena *arena,
                        const char *sql, const struct db_param *params,
                        size_t count, struct db_rows *ret_rows)
{
    struct reader reader = {.arena = arena};
    enum db_status status = statement_run(db, sql, params, count, &reader.stmt);

    if (status != DB_OK)
        return status;
    if (mysql_stmt_field_count(reader.stmt) == 0)
        fatal("a query without columns: %.300s", sql);
    if (bind_columns(&reader) && read_all(&reader))
        take_rows(&reader, ret_rows);
    else
        status = conn_statement_failed(db, reader.stmt);
    /* After a failure that closed the connection the statement is gone. */
    if (db_conn_is_open(db) && !release(&reader) && status == DB_OK)
        status = conn_statement_failed(db, reader.stmt);
    free(reader.columns);
    free(reader.binds);
    buffer_free(&reader.cells);
    return status;
}

bool db_is_null(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->is_null;
}

int64_t db_integer(const struct db_rows *rows, size_t row, size_t column)
{
    const struct db_cell *cell = cell_at(rows, row, column);
    int64_t number = 0;

    if (cell->is_null || cell->is_integer)
        return cell->is_null ? 0 : cell->integer;
    return text_to_integer(cell->text, &number) ? number : 0;
}

struct text db_text(const struct db_rows *rows, size_t row, size_t column)
{
    const struct db_cell *cell = cell_at(rows, row, column);

    return cell->is_null || cell->is_integer ? TEXT_ABSENT : cell->text;
}

const char *db_repeat(struct arena *arena, const char *sql, const char *piece,
                      size_t count, const char *tail)
{
    struct buffer text = {NULL, 0, 0};
    const char *copy;

    buffer_append_string(&text, sql);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_string(&text, ", ");
        buffer_append_string(&text, piece);
    }
    buffer_append_string(&text, tail);
    copy = arena_string(arena, buffer_text(&text));
    buffer_free(&text);
    return copy;
}

static bool bind_columns(struct reader *reader)
{
    MYSQL_RES *metadata = mysql_stmt_result_metadata(reader->stmt);
    const MYSQL_FIELD *fields;

    if (metadata == NULL)
        return false;
    fields = mysql_fetch_fields(metadata);
    reader->column_count = mysql_num_fields(metadata);
    reader->columns = xcalloc(reader->column_count, sizeof(struct column));
    reader->binds = xcalloc(reader->column_count, sizeof(MYSQL_BIND));
    for (size_t i = 0; i < reader->column_count; i++) {
        struct column *column = &reader->columns[i];

        column->is_integer = is_integer_type(fields[i].type);
        reader->binds[i] = (MYSQL_BIND){
            .buffer_type =
                column->is_integer ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING,
            .buffer = column->is_integer ? (void *)&column->integer
                                         : (void *)column->small,
            .buffer_length = column->is_integer ? sizeof column->integer
                                                : sizeof column->small,
            .length = &column->length,
            .is_null = &column->is_null,
            .error = &column->is_cut,
        };
    }
    mysql_free_result(metadata);
    return mysql_stmt_bind_result(reader->stmt, reader->binds) == 0;
}

/*
 * The statement stays, and what was bound to it does not. libmysqlclient would
 * write lengths there when it runs the statement again, before we bind anew.
 */
static bool release(struct reader *reader)
{
    bool released = mysql_stmt_free_result(reader->stmt) == 0;

    for (size_t i = 0; i < reader->column_count; i++)
        reader->binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING};
    return (reader->column_count == 0 ||
            mysql_stmt_bind_result(reader->stmt, reader->binds) == 0) &&
           released;
}

static bool is_integer_type(enum enum_field_types type)
{
    static const enum enum_field_types types[] = {
        MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT,    MYSQL_TYPE_INT24,
        MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR};

    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (types[i] == type)
            return true;
    }
    return false;
}

static bool read_all(struct reader *reader)
{
    for (;;) {
        int result = mysql_stmt_fetch(reader->stmt);

        if (result == MYSQL_NO_DATA)
            return true;
        if (result != 0 && result != MYSQL_DATA_TRUNCATED)
            return false;
        for (size_t i = 0; i < reader->column_count; i++) {
            struct db_cell cell;

            if (!read_cell(reader, i, &cell))
                return false;
            buffer_append(&reader->cells, &cell, sizeof cell);
        }
    }
}

static bool read_cell(struct reader *reader, size_t index,
                      struct db_cell *ret_cell)
{
    const struct column *column = &reader->columns[index];
    struct db_cell cell = {.is_null = column->is_null != 0,
                           .is_integer = column->is_integer};

    if (cell.is_null) {
        cell.text = TEXT_ABSENT;
    } else if (column->is_integer) {
        cell.integer = column->integer;
    } else if (column->length <= SMALL_SIZE) {
        cell.text = arena_copy(reader->arena,
                               (struct text){column->small, column->length});
    } else if (!read_long_text(reader, index, &cell.text)) {
        return false;
    }
    *ret_cell = cell;
    return true;
}

static bool read_long_text(struct reader *reader, size_t index,
                           struct text *ret_text)
{
    unsigned long length = reader->columns[index].length;
    char *data = arena_alloc(reader->arena, length + 1);
    MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING,
                       .buffer = data,
                       .buffer_length = length,
                       .length = &length};

    if (mysql_stmt_fetch_column(reader->stmt, &bind, (unsigned)index, 0) != 0)
        return false;
    data[length] = '\0';
    *ret_text = (struct text){data, length};
    return true;
}

static void take_rows(struct reader *reader, struct db_rows *ret_rows)
{
    size_t count = reader->cells.size / sizeof(struct db_cell);

    ret_rows->columns = reader->column_count;
    ret_rows->count = count / reader->column_count;
    ret_rows->cells = arena_alloc(reader->arena, reader->cells.size);
    if (count > 0)
        memcpy(ret_rows->cells, reader->cells.data, reader->cells.size);
}

static const struct db_cell *cell_at(const struct db_rows *rows, size_t row,
                                     size_t column)
{
    if (row >= rows->count || column >= rows->columns)
        fatal("no cell %zu of row %zu among %zu times %zu", column, row,
              rows->count, rows->columns);
    return &rows->cells[row * rows->columns + column];
}

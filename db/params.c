/*
 * Parameter lists and multi-row statements of few shapes.
 */
#include "db/params.h"

#include "server/base/buffer.h"

#include <string.h>

enum { EVERY_STEP = 8 };

#define LIST_OF_NUMBERS DB_LIST_TABLE("number BIGINT PATH '$[0]'")

static const char *add_list(struct db_params *params, const int64_t *integers,
                            size_t count, size_t padded);
static size_t rows_that_fit(const struct db_params *params, size_t first,
                            size_t per_row);

struct db_params db_params_new(struct arena *arena)
{
    return (struct db_params){.arena = arena};
}

void db_params_add(struct db_params *params, struct db_param param)
{
    if (params->count == params->capacity) {
        size_t capacity = params->capacity == 0 ? 32 : 2 * params->capacity;
        struct db_param *list =
            arena_alloc(params->arena, capacity * sizeof *list);

        if (params->count > 0)
            memcpy(list, params->list, params->count * sizeof *list);
        params->list = list;
        params->capacity = capacity;
    }
    params->list[params->count++] = param;
}

size_t db_ladder_down(size_t count)
{
    size_t power = DB_LADDER_TOP;
    size_t halfway;

    if (count <= EVERY_STEP)
        return count;
    while (power > count)
        power /= 2;
    halfway = power + power / 2;
    return halfway <= count && halfway < DB_LADDER_TOP ? halfway : power;
}

size_t db_ladder_up(size_t count)
{
    size_t step = 2;

    while (step < count)
        step *= 2;
    return step;
}

size_t db_rows_of_insert(const struct db_params *params, size_t first,
                         size_t per_row)
{
    return db_ladder_down(rows_that_fit(params, first, per_row));
}

enum db_status db_insert_rows(struct db_conn *db, const char *head,
                              const char *piece, const char *tail,
                              const struct db_params *params, size_t per_row)
{
    size_t rows = params->count / per_row;
    size_t row = 0;

    while (row < rows) {
        const struct db_param *list = params->list + row * per_row;
        size_t step = rows_that_fit(params, row, per_row);
        const char *sql;
        enum db_status status;

        if (!db_can_defer(db, list, step * per_row))
            step = db_ladder_down(step);
        sql = db_repeat(params->arena, head, piece, step, tail);
        status = db_defer(db, sql, list, step * per_row);
        if (status != DB_OK)
            return status;
        row += step;
    }
    return DB_OK;
}

/* One at least. */
static size_t rows_that_fit(const struct db_params *params, size_t first,
                            size_t per_row)
{
    size_t count = params->count / per_row - first;
    size_t bytes = 0;
    size_t rows = 0;

    while (rows < count && rows < DB_LADDER_TOP) {
        const struct db_param *row = params->list + (first + rows) * per_row;

        for (size_t i = 0; i < per_row; i++)
            bytes += row[i].text.size;
        if (rows > 0 && bytes > DB_STATEMENT_BYTES)
            break;
        rows++;
    }
    return rows;
}

const char *db_params_add_list(struct db_params *params,
                               const int64_t *integers, size_t count)
{
    return add_list(params, integers, count, db_ladder_up(count));
}

static const char *add_list(struct db_params *params, const int64_t *integers,
                            size_t count, size_t padded)
{
    for (size_t i = 0; i < padded; i++)
        db_params_add(params, DB_INTEGER(integers[i < count ? i : count - 1]));
    return db_repeat(params->arena, "", "?", padded, "");
}

enum db_status db_execute_for(struct db_conn *db, const char *head,
                              struct db_params *params, const int64_t *keys,
                              size_t count)
{
    bool is_text = db_can_defer(db, params->list, params->count);
    const char *list;

    if (count == 0)
        return DB_OK;
    list = add_list(params, keys, count, is_text ? count : db_ladder_up(count));
    return db_defer(db, arena_printf(params->arena, "%s IN (%s)", head, list),
                    params->list, params->count);
}

/*
 * Joined to a table made of the list, each row is looked up. With a list in
 * IN (...) the optimizer scans a short table instead, no index hint keeps it
 * from that in a DELETE, and a scan waits for the rows of others.
 */
enum db_status db_delete_for(struct db_conn *db, struct arena *arena,
                             const struct db_index *index, const int64_t *keys,
                             size_t count)
{
    struct db_param key;
    const char *from = "";
    const char *where = "WHERE";
    const char *value = "?";

    if (count == 0)
        return DB_OK;
    if (count == 1) {
        key = DB_INTEGER(keys[0]);
    } else {
        key = db_list(arena, keys, count, 1);
        from = LIST_OF_NUMBERS " AS list STRAIGHT_JOIN ";
        where = "ON";
        value = "list.number";
    }
    return db_defer(db,
                    arena_printf(arena,
                                 "DELETE r FROM %s%s r FORCE INDEX (%s)"
                                 " %s r.%s = %s",
                                 from, index->table, index->name, where,
                                 index->key, value),
                    &key, 1);
}

struct db_param db_list(struct arena *arena, const int64_t *integers,
                        size_t rows, size_t per_row)
{
    struct buffer json = {NULL, 0, 0};
    struct text text;

    for (size_t i = 0; i < rows * per_row; i++) {
        bool begins = i % per_row == 0;

        buffer_append_string(&json, i == 0 ? "[[" : begins ? "],[" : ",");
        buffer_append_integer(&json, integers[i]);
    }
    buffer_append_string(&json, "]]");
    text = arena_copy(arena, buffer_text(&json));
    buffer_free(&json);
    return DB_BYTES(text.data, text.size);
}

const char *db_params_add_choice(struct db_params *params, const char *key,
                                 const int64_t *keys, const struct text *texts,
                                 size_t count)
{
    size_t padded = db_ladder_up(count);
    const char *list;

    if (count == 1) {
        db_params_add(params, DB_TEXT(texts[0]));
        return "?";
    }
    list = db_params_add_list(params, keys, count);
    for (size_t i = 0; i < padded; i++)
        db_params_add(params, DB_TEXT(i < count ? texts[i] : text_of("")));
    return arena_printf(params->arena, "ELT(FIELD(%s, %s), %s)", key, list,
                        list);
}

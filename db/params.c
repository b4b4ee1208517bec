/*
 * Parameter lists and multi-row statements of few shapes.
 */
#include "db/params.h"

#include "server/base/buffer.h"

#include <string.h>

static const char *add_table(struct db_params *params, const int64_t *keys,
                             size_t count);

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
    size_t step = 1;

    while (step * 2 <= count && step * 2 <= DB_LADDER_TOP)
        step *= 2;
    return step;
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
    return db_ladder_down(rows);
}

enum db_status db_insert_rows(struct db_conn *db, const char *head,
                              const char *piece, const char *tail,
                              const struct db_params *params, size_t per_row)
{
    size_t rows = params->count / per_row;
    size_t row = 0;

    while (row < rows) {
        size_t step = db_rows_of_insert(params, row, per_row);
        const char *sql = db_repeat(params->arena, head, piece, step, tail);
        enum db_status status =
            db_defer(db, sql, params->list + row * per_row, step * per_row);

        if (status != DB_OK)
            return status;
        row += step;
    }
    return DB_OK;
}

const char *db_params_add_list(struct db_params *params,
                               const int64_t *integers, size_t count)
{
    size_t padded = db_ladder_up(count);

    for (size_t i = 0; i < padded; i++)
        db_params_add(params, DB_INTEGER(integers[i < count ? i : count - 1]));
    return db_repeat(params->arena, "", "?", padded, "");
}

enum db_status db_execute_for(struct db_conn *db, const char *head,
                              struct db_params *params, const int64_t *keys,
                              size_t count)
{
    const char *list;

    if (count == 0)
        return DB_OK;
    list = db_params_add_list(params, keys, count);
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
    struct db_params params = db_params_new(arena);
    const char *from = "";
    const char *where = "WHERE";
    const char *key = "?";
    const char *sql;

    if (count == 0)
        return DB_OK;
    if (count == 1) {
        db_params_add(&params, DB_INTEGER(keys[0]));
    } else {
        from = arena_printf(arena, "(%s) AS list STRAIGHT_JOIN ",
                            add_table(&params, keys, count));
        where = "ON";
        key = "list.number";
    }
    sql = arena_printf(arena,
                       "DELETE r FROM %s%s r FORCE INDEX (%s) %s r.%s = %s",
                       from, index->table, index->name, where, index->key, key);
    return db_defer(db, sql, params.list, params.count);
}

static const char *add_table(struct db_params *params, const int64_t *keys,
                             size_t count)
{
    size_t padded = db_ladder_up(count);
    struct buffer table = {NULL, 0, 0};
    const char *copy;

    db_params_add_list(params, keys, count);
    buffer_append_string(&table, "SELECT CAST(? AS SIGNED) AS number");
    for (size_t i = 1; i < padded; i++)
        buffer_append_string(&table, " UNION ALL SELECT CAST(? AS SIGNED)");
    copy = arena_string(params->arena, buffer_text(&table));
    buffer_free(&table);
    return copy;
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

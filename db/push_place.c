/*
 * Places at a grader. A server from before places were handed on has rows here
 * as well, numbered by submissions: they count like any other.
 */
#include "db/push_place.h"

static enum db_status drop_expired(struct db_conn *db,
                                   struct push_places *places, int64_t number);
static bool is_taken(const struct push_places *places, int64_t number);

enum db_status push_places_read(struct db_conn *db, struct arena *arena,
                                int64_t queue_id, int64_t now_us,
                                struct push_places *ret_places)
{
    const struct db_param params[] = {DB_INTEGER(queue_id)};
    struct push_places *places = ret_places;
    struct db_rows rows;
    /* A plain read: it waits for no push that is just ending. */
    enum db_status status =
        db_query(db, arena,
                 "SELECT id, pullkey, expires_us FROM xqueue_push"
                 " FORCE INDEX (PRIMARY) WHERE queue_id = ? ORDER BY id",
                 params, ARRAY_LENGTH(params), &rows);

    *places = (struct push_places){.queue_id = queue_id, .now_us = now_us};
    if (status != DB_OK)
        return status;
    places->numbers =
        arena_alloc(arena, (rows.count + 1) * sizeof *places->numbers);
    places->keys = arena_alloc(arena, (rows.count + 1) * sizeof *places->keys);
    for (size_t i = 0; i < rows.count && status == DB_OK; i++) {
        if (db_integer(&rows, i, 2) > now_us) {
            places->numbers[places->count] = db_integer(&rows, i, 0);
            places->keys[places->count++] = db_text(&rows, i, 1);
        } else {
            status = drop_expired(db, places, db_integer(&rows, i, 0));
        }
    }
    return status;
}

bool push_places_have(const struct push_places *places,
                      const struct push_place *place)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->numbers[i] == place->number &&
            text_equal_string(places->keys[i], place->key))
            return true;
    }
    return false;
}

enum db_status push_places_take(struct db_conn *db, struct arena *arena,
                                const struct push_places *places,
                                int64_t until_us, struct push_place *taken,
                                size_t count)
{
    struct db_params params = db_params_new(arena);
    int64_t number = 0;

    for (size_t i = 0; i < count; i++) {
        do {
            number++;
        } while (is_taken(places, number));
        taken[i].number = number;
        db_params_add(&params, DB_INTEGER(places->queue_id));
        db_params_add(&params, DB_INTEGER(number));
        db_params_add(&params, DB_TEXT(text_of(taken[i].key)));
        db_params_add(&params, DB_INTEGER(until_us));
    }
    return db_insert_rows(
        db,
        "INSERT INTO xqueue_push (queue_id, id, pullkey, expires_us) VALUES ",
        "(?, ?, ?, ?)", "", &params, 4);
}

enum db_status push_places_extend(struct db_conn *db, struct arena *arena,
                                  const struct push_places *places,
                                  int64_t until_us, const int64_t *numbers,
                                  size_t count)
{
    struct db_params params = db_params_new(arena);

    db_params_add(&params, DB_INTEGER(until_us));
    db_params_add(&params, DB_INTEGER(places->queue_id));
    return db_execute_for(db,
                          "UPDATE xqueue_push FORCE INDEX (PRIMARY)"
                          " SET expires_us = GREATEST(expires_us, ?)"
                          " WHERE queue_id = ? AND id",
                          &params, numbers, count);
}

enum db_status push_place_leave(struct db_conn *db, int64_t queue_id,
                                const struct push_place *place)
{
    const struct db_param params[] = {
        DB_INTEGER(queue_id),
        DB_INTEGER(place->number),
        DB_TEXT(text_of(place->key)),
    };

    return db_execute(db,
                      "DELETE FROM xqueue_push"
                      " WHERE queue_id = ? AND id = ? AND pullkey = ?",
                      params, ARRAY_LENGTH(params), NULL);
}

static enum db_status drop_expired(struct db_conn *db,
                                   struct push_places *places, int64_t number)
{
    const struct db_param params[] = {
        DB_INTEGER(places->queue_id),
        DB_INTEGER(number),
        DB_INTEGER(places->now_us),
    };

    places->has_dropped = true;
    return db_execute(db,
                      "DELETE FROM xqueue_push"
                      " WHERE queue_id = ? AND id = ? AND expires_us <= ?",
                      params, ARRAY_LENGTH(params), NULL);
}

static bool is_taken(const struct push_places *places, int64_t number)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->numbers[i] == number)
            return true;
    }
    return false;
}

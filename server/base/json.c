/*
 * JSON trees. json_check.c decides what is JSON; json_mark.c rewrites it so
 * that json-c has nothing to misread; json-c builds and keeps the tree;
 * json_python.c and json_write.c turn values into text.
 *
 * A `struct json_value` is json-c's object under another name. In the tree
 * there are objects, arrays, booleans and marked strings, nothing else.
 */
#include "server/base/json_private.h"

#include "server/base/memory.h"

#include <json-c/json.h>
#include <limits.h>

static struct json_object *parse(struct text marked);
static void release(void *object);
static struct json_object *tree_of(const struct json_value *value);
static const struct json_value *value_of(struct json_object *tree);
static struct text marked_string(const struct json_value *value);

bool json_parse_object(struct arena *arena, struct text source,
                       const struct json_value **ret_object)
{
    struct buffer marked = {NULL, 0, 0};
    struct json_object *tree;
    size_t start = json_skip_blanks(source, 0);

    if (start == source.size || source.data[start] != '{' ||
        !json_is_valid(source))
        return false;
    json_mark(source, &marked);
    tree = parse(buffer_text(&marked));
    buffer_free(&marked);
    if (tree == NULL)
        return false;
    arena_defer(arena, release, tree);
    *ret_object = value_of(tree);
    return true;
}

const struct json_value *json_get(const struct json_value *object,
                                  const char *key)
{
    struct json_object *found;

    if (!json_object_object_get_ex(tree_of(object), key, &found))
        return NULL;
    return value_of(found);
}

enum json_kind json_kind(const struct json_value *value)
{
    struct json_object *tree = tree_of(value);

    if (json_object_is_type(tree, json_type_object))
        return JSON_OBJECT;
    if (json_object_is_type(tree, json_type_array))
        return JSON_ARRAY;
    if (json_object_is_type(tree, json_type_boolean))
        return JSON_BOOLEAN;
    switch (marked_string(value).data[0]) {
    case JSON_MARKED_NULL:
        return JSON_NULL;
    case JSON_MARKED_INTEGER:
        return JSON_INTEGER;
    case JSON_MARKED_REAL:
        return JSON_REAL;
    case JSON_MARKED_STRING:
        return JSON_STRING;
    default:
        fatal("json: impossible marker");
    }
}

struct text json_text(const struct json_value *value)
{
    struct text marked;

    if (json_kind(value) != JSON_STRING)
        return TEXT_ABSENT;
    marked = marked_string(value);
    return (struct text){marked.data + 1, marked.size - 1};
}

bool json_integer(const struct json_value *value, int64_t *ret_integer)
{
    return json_kind(value) == JSON_INTEGER &&
           text_to_integer(json_digits(value), ret_integer);
}

bool json_is_true(const struct json_value *boolean)
{
    return json_object_get_boolean(tree_of(boolean)) != 0;
}

struct text json_digits(const struct json_value *value)
{
    struct text marked = marked_string(value);

    return (struct text){marked.data + 1, marked.size - 1};
}

void json_each(const struct json_value *container, json_visit *visit,
               void *context)
{
    struct json_object *tree = tree_of(container);

    if (json_object_is_type(tree, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(tree); i++)
            visit(TEXT_ABSENT, value_of(json_object_array_get_idx(tree, i)),
                  context);
        return;
    }
    json_object_object_foreach(tree, key, item)
        visit(text_of(key), value_of(item), context);
}

/* Of a marked source, so only its size can be a reason to fail. */
static struct json_object *parse(struct text marked)
{
    struct json_tokener *tokener;
    struct json_object *tree;

    if (marked.size >= INT_MAX)
        return NULL;
    tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 2);
    if (tokener == NULL)
        fatal("json: out of memory");
    tree = json_tokener_parse_ex(tokener, marked.data, (int)marked.size);
    json_tokener_free(tokener);
    return tree;
}

static void release(void *object)
{
    json_object_put(object);
}

/* json-c takes no pointers to const, though it changes nothing here. */
static struct json_object *tree_of(const struct json_value *value)
{
    return (struct json_object *)(uintptr_t)value;
}

static const struct json_value *value_of(struct json_object *tree)
{
    return (const struct json_value *)(const void *)tree;
}

static struct text marked_string(const struct json_value *value)
{
    struct json_object *tree = tree_of(value);

    return (struct text){json_object_get_string(tree),
                         (size_t)json_object_get_string_len(tree)};
}

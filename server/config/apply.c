/*
 * A value to its setting: one function per type.
 *
 * In a file the YAML type must fit: "8" in quotes is no number. Elsewhere all
 * values are texts and are read for what the setting needs.
 */
#include "server/config/loading.h"

#include "server/config/checks.h"
#include "server/config/yaml_scalar.h"

#include <string.h>

struct input {
    const struct setting *setting;
    const struct yaml_node *value;
    struct arena *arena;
    bool loose; /* not from a file */
    void *base;
};

typedef bool apply_function(const struct input *input, void *target);

static apply_function apply_boolean;
static apply_function apply_integer;
static apply_function apply_number;
static apply_function apply_size;
static apply_function apply_text;
static apply_function apply_choice;
static apply_function apply_choice_text;
static apply_function apply_list;
static apply_function apply_basic_auth;

static apply_function *const appliers[] = {
    [SETTING_BOOLEAN] = apply_boolean,
    [SETTING_INTEGER] = apply_integer,
    [SETTING_NUMBER] = apply_number,
    [SETTING_SIZE] = apply_size,
    [SETTING_TEXT] = apply_text,
    [SETTING_CHOICE] = apply_choice,
    [SETTING_CHOICE_TEXT] = apply_choice_text,
    [SETTING_LIST] = apply_list,
    [SETTING_BASIC_AUTH] = apply_basic_auth,
};

static bool in_range(const struct setting *setting, double number);
static bool read_size(struct text text, int64_t *ret_bytes);
static const struct setting_choice *find_choice(const struct input *input);
static bool split(const struct input *input, struct config_list *ret_list);

void loading_apply(struct loading *loading, const struct setting *setting,
                   const struct yaml_node *value, const struct place *place)
{
    loading_apply_at(loading, setting, value, place, loading->config);
}

void loading_apply_at(struct loading *loading, const struct setting *setting,
                      const struct yaml_node *value, const struct place *place,
                      void *base)
{
    struct input input = {
        .setting = setting,
        .value = value,
        .arena = loading->config->arena,
        .loose = place->origin != FROM_FILE,
        .base = base,
    };
    struct buffer expected = {NULL, 0, 0};

    if (value->kind == YAML_NULL && !input.loose)
        return;
    if (appliers[setting->type](&input, setting_target(setting, base)))
        return;
    setting_describe(setting, &expected);
    if (setting->type == SETTING_BASIC_AUTH)
        buffer_append_string(&expected, input.loose ? " as user:password"
                                                    : " as [user, password]");
    if (setting->secret)
        loading_expected_secret(loading, place, expected.data, value);
    else
        loading_expected(loading, place, expected.data, value);
    buffer_free(&expected);
}

void loading_apply_text(struct loading *loading, const struct setting *setting,
                        struct text value, const struct place *place)
{
    struct yaml_node node = {.kind = YAML_TEXT, .text = value};

    /* A host from elsewhere replaces the socket that the file names. */
    if (setting->offset == offsetof(struct config, database.host))
        loading->config->database.unix_socket = NULL;
    loading_apply(loading, setting, &node, place);
}

static bool apply_boolean(const struct input *input, void *target)
{
    struct yaml_node plain = *input->value;

    if (input->loose)
        yaml_scalar_resolve(&plain);
    if (input->loose && (text_equal_string(plain.text, "1") ||
                         text_equal_string(plain.text, "0"))) {
        plain.kind = YAML_BOOLEAN;
        plain.boolean = plain.text.data[0] == '1';
    }
    if (plain.kind != YAML_BOOLEAN)
        return false;
    *(bool *)target = plain.boolean;
    return true;
}

static bool apply_integer(const struct input *input, void *target)
{
    int64_t number = input->value->integer;
    bool is_number = input->loose ? text_to_integer(input->value->text, &number)
                                  : input->value->kind == YAML_INTEGER;

    if (!is_number || !in_range(input->setting, (double)number))
        return false;
    *(int64_t *)target = number;
    return true;
}

static bool apply_number(const struct input *input, void *target)
{
    struct yaml_node plain = *input->value;
    int64_t whole;

    if (input->loose && text_to_integer(plain.text, &whole)) {
        /* Not by YAML's rules, where 010 is eight. */
        plain.kind = YAML_INTEGER;
        plain.number = (double)whole;
    } else if (input->loose) {
        yaml_scalar_resolve(&plain);
    }
    if ((plain.kind != YAML_INTEGER && plain.kind != YAML_NUMBER) ||
        !in_range(input->setting, plain.number))
        return false;
    *(double *)target = plain.number;
    return true;
}

/* False for what is not a number at all. */
static bool in_range(const struct setting *setting, double number)
{
    bool high_enough =
        setting->above_min ? number > setting->min : number >= setting->min;

    return high_enough && number <= setting->max;
}

static bool apply_size(const struct input *input, void *target)
{
    int64_t bytes = input->value->integer;
    bool is_size = input->value->kind == YAML_INTEGER ||
                   (input->value->kind == YAML_TEXT &&
                    read_size(input->value->text, &bytes));

    if (!is_size || !in_range(input->setting, (double)bytes))
        return false;
    *(int64_t *)target = bytes;
    return true;
}

/* "256 MB", "64MiB", "1k", "1000": every unit is a power of 1024. */
static bool read_size(struct text text, int64_t *ret_bytes)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {
        {"", 1},          {"B", 1},        {"K", 1 << 10},   {"KB", 1 << 10},
        {"KiB", 1 << 10}, {"M", 1 << 20},  {"MB", 1 << 20},  {"MiB", 1 << 20},
        {"G", 1 << 30},   {"GB", 1 << 30}, {"GiB", 1 << 30},
    };
    size_t digits = strspn(text.data, "0123456789");
    struct text unit =
        text_trim((struct text){text.data + digits, text.size - digits});
    int64_t number;

    if (!text_to_integer((struct text){text.data, digits}, &number))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (text_equal_ignoring_case(unit, units[i].name))
            return !__builtin_mul_overflow(number, units[i].bytes, ret_bytes);
    }
    return false;
}

static bool apply_text(const struct input *input, void *target)
{
    const struct setting *setting = input->setting;
    struct text text = input->value->text;

    if (!is_textual(input->value) ||
        (!setting->secret && !check_printable(text)))
        return false;
    if (setting->is_good != NULL && !setting->is_good(text))
        return false;
    if (text.size > 0 || setting->may_be_empty)
        *(const char **)target = arena_string(input->arena, text);
    return true;
}

static bool apply_choice(const struct input *input, void *target)
{
    const struct setting_choice *choice = find_choice(input);

    if (choice == NULL)
        return false;
    memcpy(target, &choice->value, sizeof choice->value);
    return true;
}

/* False, as Django has it, is no attribute at all. */
static bool apply_choice_text(const struct input *input, void *target)
{
    const struct setting_choice *choice = find_choice(input);

    if (input->value->kind == YAML_BOOLEAN && !input->value->boolean) {
        *(const char **)target = NULL;
        return true;
    }
    if (choice == NULL)
        return false;
    *(const char **)target = choice->name;
    return true;
}

static const struct setting_choice *find_choice(const struct input *input)
{
    const struct setting_choice *choice = input->setting->choices;

    if (input->value->kind != YAML_TEXT)
        return NULL;
    for (; choice->name != NULL; choice++) {
        if (text_equal_ignoring_case(input->value->text, choice->name))
            return choice;
    }
    return NULL;
}

/* A list in a file, or one text with commas. */
static bool apply_list(const struct input *input, void *target)
{
    const struct yaml_node *value = input->value;
    struct config_list list = {NULL, value->count};

    if (value->kind == YAML_TEXT)
        return split(input, target);
    if (value->kind != YAML_LIST)
        return false;
    list.items = arena_zalloc(input->arena, value->count * sizeof *list.items);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = value->items[i];

        if (!is_textual(item) || item->text.size == 0 ||
            !check_printable(item->text))
            return false;
        list.items[i] = arena_string(input->arena, item->text);
    }
    *(struct config_list *)target = list;
    return true;
}

static bool split(const struct input *input, struct config_list *ret_list)
{
    struct text rest = input->value->text;
    struct config_list list = {NULL, 0};

    list.items =
        arena_zalloc(input->arena, (rest.size + 1) * sizeof *list.items);
    for (;;) {
        size_t size = strcspn(rest.data, ",");
        struct text item = text_trim((struct text){rest.data, size});

        if (item.size == 0 || !check_printable(item))
            return false;
        list.items[list.count++] = arena_string(input->arena, item);
        if (size == rest.size)
            break;
        rest = (struct text){rest.data + size + 1, rest.size - size - 1};
    }
    *ret_list = list;
    return true;
}

static bool apply_basic_auth(const struct input *input, void *target)
{
    const struct yaml_node *value = input->value;
    struct text user = value->text;
    struct text password;

    if (input->loose) {
        const char *colon = memchr(user.data, ':', user.size);

        if (colon == NULL)
            return false;
        user.size = (size_t)(colon - user.data);
        password = (struct text){colon + 1, value->text.size - user.size - 1};
    } else {
        if (value->kind != YAML_LIST || value->count != 2 ||
            !is_textual(value->items[0]) || !is_textual(value->items[1]))
            return false;
        user = value->items[0]->text;
        password = value->items[1]->text;
    }
    /* The colon ends the user's name on the wire. */
    if (user.size == 0 || memchr(user.data, ':', user.size) != NULL)
        return false;
    *(const char **)target = arena_string(input->arena, user);
    target = (char *)input->base + input->setting->password_offset;
    *(const char **)target = arena_string(input->arena, password);
    return true;
}

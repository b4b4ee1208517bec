/*
 * Settings from environment variables.
 */
#include "server/config/loading.h"
#include "server/config/read_file.h"
#include "server/config/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_VALUE_FILE = 64 * 1024 };

#define PREFIX "XQUEUE_"

static void read_migration_names(struct loading *loading);
static void read_setting(struct loading *loading,
                         const struct setting *setting);
static void apply(struct loading *loading, const struct setting *setting,
                  const char *variable, struct text value);
static void apply_map(struct loading *loading, const struct setting *setting,
                      const char *variable, struct text value);
static void apply_file(struct loading *loading, const struct setting *setting,
                       const char *variable, const char *path);
static const char *given(const char *variable);
static bool is_service_link(const char *variable, const char *value);
static void warn_of_unknown(struct loading *loading);
static bool is_known(struct text name);

void loading_environment(struct loading *loading)
{
    read_migration_names(loading);
    for (size_t i = 0; i < settings_count(); i++) {
        if (setting_has_variable(settings_at(i)))
            read_setting(loading, settings_at(i));
    }
    warn_of_unknown(loading);
}

/* What the edX role sets around `migrate`, and the Django server obeys. */
static void read_migration_names(struct loading *loading)
{
    static const struct {
        const char *variable;
        const char *setting;
    } names[] = {
        {"DB_MIGRATION_HOST", "DB_HOST"},     {"DB_MIGRATION_PORT", "DB_PORT"},
        {"DB_MIGRATION_NAME", "DB_NAME"},     {"DB_MIGRATION_USER", "DB_USER"},
        {"DB_MIGRATION_PASS", "DB_PASSWORD"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const char *value = given(names[i].variable);

        if (value != NULL)
            apply(loading, settings_find(text_of(names[i].setting)),
                  names[i].variable, text_of(value));
    }
}

static void read_setting(struct loading *loading, const struct setting *setting)
{
    struct arena *arena = loading->config->arena;
    const char *variable = arena_printf(arena, PREFIX "%s", setting->name);
    const char *file_variable = arena_printf(arena, "%s_FILE", variable);
    const char *value = given(variable);
    const char *path = given(file_variable);
    struct place place = {FROM_ENVIRONMENT, file_variable, 0, 0};

    if (value != NULL && path != NULL)
        loading_error(loading, &place,
                      arena_printf(arena, "given beside %s", variable));
    else if (value != NULL)
        apply(loading, setting, variable, text_of(value));
    else if (path != NULL)
        apply_file(loading, setting, file_variable, path);
}

/* NULL when it is not set or empty. */
static const char *given(const char *variable)
{
    const char *value = getenv(variable);

    if (value == NULL || *value == '\0' || is_service_link(variable, value))
        return NULL;
    return value;
}

/*
 * Kubernetes gives every container variables about the services around it:
 * for one called xqueue-db, XQUEUE_DB_PORT=tcp://10.0.0.7:3306.
 */
static bool is_service_link(const char *variable, const char *value)
{
    return strstr(value, "://") != NULL && strstr(variable, "_PORT") != NULL;
}

static void apply(struct loading *loading, const struct setting *setting,
                  const char *variable, struct text value)
{
    struct place place = {FROM_ENVIRONMENT, variable, 0, 0};

    if (setting_is_single(setting))
        loading_apply_text(loading, setting, value, &place);
    else
        apply_map(loading, setting, variable, value);
}

/* The value is a small file of its own: messages name its lines. */
static void apply_map(struct loading *loading, const struct setting *setting,
                      const char *variable, struct text value)
{
    const char *file = loading->file;
    const struct yaml_node *map =
        yaml_tree_parse(loading->tree, value, variable, &loading->errors);

    if (map == NULL || map->kind == YAML_NULL)
        return;
    if (setting->type == SETTING_QUEUES) {
        loading->queues = map;
        loading->queues_file = variable;
        return;
    }
    loading->file = variable;
    loading_users(loading, map);
    loading->file = file;
}

/* One line end after the value is the editor's, not the value's. */
static void apply_file(struct loading *loading, const struct setting *setting,
                       const char *variable, const char *path)
{
    struct place place = {FROM_ENVIRONMENT, variable, 0, 0};
    struct arena *arena = loading->config->arena;
    struct file_content content;
    struct text value;
    const char *why;

    if (!read_file(path, MAX_VALUE_FILE, &content, &why)) {
        loading_error(loading, &place,
                      arena_printf(arena, "%s: %s", path, why));
        return;
    }
    value = buffer_text(&content.bytes);
    if (value.size > 0 && value.data[value.size - 1] == '\n')
        value.size--;
    if (value.size > 0 && value.data[value.size - 1] == '\r')
        value.size--;
    if (memchr(value.data, '\0', value.size) != NULL)
        loading_error(loading, &place, "a NUL character in the file");
    else
        apply(loading, setting, variable, arena_copy(arena, value));
    explicit_bzero(content.bytes.data, content.bytes.size);
    buffer_free(&content.bytes);
}

/* A slip in a name should not go unseen. */
static void warn_of_unknown(struct loading *loading)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        struct text name = {*entry, strcspn(*entry, "=")};
        struct place place = {FROM_ENVIRONMENT, NULL, 0, 0};

        if (!text_starts_with(name, PREFIX) || is_known(name))
            continue;
        place.name = arena_string(loading->config->arena, name);
        loading_warning(loading, &place, LOADING_NOT_KNOWN);
    }
}

/* Or none of our business: the file's name, tests, Kubernetes's services. */
static bool is_known(struct text name)
{
    static const char file[] = "_FILE";
    size_t prefix = sizeof PREFIX - 1;
    struct text setting = {name.data + prefix, name.size - prefix};
    const struct setting *found = settings_find(setting);

    if (found == NULL && setting.size >= sizeof file - 1 &&
        memcmp(setting.data + setting.size - (sizeof file - 1), file,
               sizeof file - 1) == 0) {
        setting.size -= sizeof file - 1;
        found = settings_find(setting);
    }
    if (found != NULL)
        return setting_has_variable(found);
    return text_equal_string(setting, "CFG") ||
           text_starts_with(setting, "TEST_") ||
           memmem(name.data, name.size, "_SERVICE_", 9) != NULL ||
           memmem(name.data, name.size, "_PORT", 5) != NULL;
}

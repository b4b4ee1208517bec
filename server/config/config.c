/*
 * The configuration: what is loaded, in which order.
 *
 * Defaults, file, environment, options: each layer writes over the one
 * before. The queues come last: what an entry of XQUEUES leaves out is as the
 * layers together say. Errors are collected over all of them, so that one
 * start shows everything that is wrong.
 */
#include "server/config/config.h"

#include "server/config/foreign.h"
#include "server/config/loading.h"
#include "server/config/quote.h"
#include "server/config/read_file.h"
#include "server/config/settings.h"

#include <stdlib.h>
#include <string.h>

static struct loading start(const char *name);
static struct config *finish(struct loading *loading,
                             const struct config_override *overrides,
                             size_t count, struct buffer *ret_messages);
static void apply_defaults(struct loading *loading);
static void load_file(struct loading *loading, const char *path);
static void load_text(struct loading *loading, struct text source);
static void load_pair(struct loading *loading, const struct yaml_pair *pair);
static void warn_of_foreign(struct loading *loading,
                            const struct yaml_node *key);
static void apply_override(struct loading *loading,
                           const struct config_override *override);
static void settle_socket(struct config_database *database);
static void check_together(struct loading *loading);

const char *config_default_path(void)
{
    const char *path = getenv("XQUEUE_CFG");

    return path == NULL || *path == '\0' ? NULL : path;
}

struct config *config_load(const char *path,
                           const struct config_override *overrides,
                           size_t count, struct buffer *ret_messages)
{
    struct loading loading = start(path);

    if (path != NULL)
        load_file(&loading, path);
    return finish(&loading, overrides, count, ret_messages);
}

struct config *config_load_text(struct text source, const char *name,
                                const struct config_override *overrides,
                                size_t count, struct buffer *ret_messages)
{
    struct loading loading = start(name);

    load_text(&loading, source);
    return finish(&loading, overrides, count, ret_messages);
}

void config_free(struct config *config)
{
    if (config != NULL)
        arena_free(config->arena);
}

const struct config_queue *config_find_queue(const struct config *config,
                                             struct text name)
{
    for (size_t i = 0; i < config->queue_count; i++) {
        if (text_equal_string(name, config->queues[i].name))
            return &config->queues[i];
    }
    return NULL;
}

static struct loading start(const char *name)
{
    struct arena *arena = arena_new();
    struct loading loading = {.file = name, .tree = arena_new()};

    loading.config = arena_zalloc(arena, sizeof *loading.config);
    loading.config->arena = arena;
    apply_defaults(&loading);
    return loading;
}

static void apply_defaults(struct loading *loading)
{

    for (size_t i = 0; i < settings_count(); i++) {
        const struct setting *setting = settings_at(i);
        struct place place = {FROM_TABLE, setting->name, 0, 0};

        if (setting->fallback != NULL)
            loading_apply_text(loading, setting, text_of(setting->fallback),
                               &place);
    }
}

static void load_file(struct loading *loading, const char *path)
{
    struct file_content content;
    const char *why;

    if (!read_file(path, YAML_TREE_MAX_BYTES, &content, &why)) {
        buffer_printf(&loading->errors, "%s: cannot be read: %s\n", path, why);
        return;
    }
    if (content.is_world_writable)
        buffer_printf(&loading->warnings,
                      "%s: anybody on this machine may change it\n", path);
    load_text(loading, buffer_text(&content.bytes));
    explicit_bzero(content.bytes.data, content.bytes.size);
    buffer_free(&content.bytes);
}

static void load_text(struct loading *loading, struct text source)
{
    const struct yaml_node *root =
        yaml_tree_parse(loading->tree, source, loading->file, &loading->errors);

    if (root != NULL && root->kind != YAML_MAP)
        buffer_printf(&loading->errors, "%s:%d:%d: expected `NAME: value`\n",
                      loading->file, root->line, root->column);
    else if (root != NULL) {
        for (size_t i = 0; i < root->count; i++)
            load_pair(loading, &root->pairs[i]);
    }
    if (loading->storages != NULL)
        loading_storages(loading, loading->storages);
}

/* Null stands for the default, as templates write it. */
static void load_pair(struct loading *loading, const struct yaml_pair *pair)
{
    const struct setting *setting = settings_find(pair->key->text);
    struct place place;

    if (text_equal_string(pair->key->text, "STORAGES")) {
        if (pair->value->kind != YAML_NULL)
            loading->storages = pair->value;
        return;
    }
    if (setting == NULL) {
        warn_of_foreign(loading, pair->key);
        return;
    }
    if (setting->in_database) {
        place = place_in_file(setting->name, pair->key);
        loading_warning(loading, &place, "ignored: it belongs in DATABASES");
        return;
    }
    if (pair->value->kind == YAML_NULL)
        return;
    place = place_in_file(setting->name, pair->value);
    if (setting->type == SETTING_QUEUES) {
        loading->queues = pair->value;
        loading->queues_file = loading->file;
    } else if (setting->type == SETTING_USERS) {
        loading_users(loading, pair->value);
    } else if (setting->type == SETTING_DATABASES) {
        loading_databases(loading, pair->value);
    } else {
        loading_apply(loading, setting, pair->value, &place);
    }
}

static void warn_of_foreign(struct loading *loading,
                            const struct yaml_node *key)
{
    char *name = quote_name(key->text);
    struct place place = place_in_file(name, key);

    loading_warning(loading, &place,
                    foreign_is_known(key->text) ? LOADING_NOT_USED
                                                : LOADING_NOT_KNOWN);
    free(name);
}

static struct config *finish(struct loading *loading,
                             const struct config_override *overrides,
                             size_t count, struct buffer *ret_messages)
{
    struct config *config = loading->config;

    settle_socket(&config->database);
    loading_environment(loading);
    for (size_t i = 0; i < count; i++)
        apply_override(loading, &overrides[i]);
    settle_socket(&config->database);
    if (loading->queues != NULL) {
        loading->file = loading->queues_file;
        loading_queues(loading, loading->queues);
    }
    arena_free(loading->tree);
    loading_settle_files(loading);
    check_together(loading);
    if (loading->errors.size == 0) {
        *ret_messages = loading->warnings;
        buffer_free(&loading->errors);
        return config;
    }
    *ret_messages = loading->errors;
    buffer_free(&loading->warnings);
    config_free(config);
    return NULL;
}

static void apply_override(struct loading *loading,
                           const struct config_override *override)
{
    const struct setting *setting = settings_find(text_of(override->name));
    struct place place = {FROM_OPTION, override->name, 0, 0};

    if (setting != NULL && setting_is_single(setting))
        loading_apply_text(loading, setting, text_of(override->value), &place);
    else
        loading_error(loading, &place, "not a setting that an option can give");
}

/* A host that is a path is the driver's way to name a socket. */
static void settle_socket(struct config_database *database)
{
    if (database->host[0] != '/')
        return;
    if (database->unix_socket == NULL)
        database->unix_socket = database->host;
    database->host = "localhost";
}

static void check_together(struct loading *loading)
{
    const struct config *config = loading->config;
    struct place place = {FROM_TABLE, "BODY_MEMORY", 0, 0};

    /* A body that never fits would wait for ever. */
    if (config->body_memory_bytes < config->request_max_bytes)
        loading_error(loading, &place,
                      "expected at least REQUEST_MAX_BYTES, found less");
    place.name = "XQUEUES";
    if (config->queue_count == 0)
        loading_warning(loading, &place, "no queues");
}

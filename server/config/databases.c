/*
 * DATABASES, as Django has it, with the options of its MySQL driver.
 */
#include "server/config/loading.h"

#include "server/config/checks.h"
#include "server/config/settings.h"

#include <string.h>

typedef void read_function(struct loading *loading,
                           const struct yaml_node *value,
                           const struct place *place);

/* What to do with a key of a map. */
struct key {
    const char *name;    /* NULL ends the row */
    read_function *read; /* NULL: quietly ignored */
    const char *setting; /* or the setting that it is */
};

static read_function read_default;
static read_function read_engine;
static read_function read_port;
static read_function read_options;
static read_function read_tls;
static read_function read_tls_ca;
static read_function read_tls_cert;
static read_function read_tls_key;
static read_function read_tls_mode;

static const struct key database_keys[] = {
    {"HOST", NULL, "DB_HOST"},         {"PORT", read_port, NULL},
    {"NAME", NULL, "DB_NAME"},         {"USER", NULL, "DB_USER"},
    {"PASSWORD", NULL, "DB_PASSWORD"}, {"OPTIONS", read_options, NULL},
    {"ENGINE", read_engine, NULL},     {"ATOMIC_REQUESTS", NULL, NULL},
    {"AUTOCOMMIT", NULL, NULL},        {"CONN_HEALTH_CHECKS", NULL, NULL},
    {"CONN_MAX_AGE", NULL, NULL},      {"TEST", NULL, NULL},
    {"TIME_ZONE", NULL, NULL},         {NULL, NULL, NULL},
};

/* `ssl` before `ssl_mode`, which overrides it: the order of this row rules. */
static const struct key option_keys[] = {
    {"unix_socket", NULL, "DB_SOCKET"},
    {"ssl", read_tls, NULL},
    {"ssl_mode", read_tls_mode, NULL},
    {"charset", NULL, NULL},
    {"collation", NULL, NULL},
    {"connect_timeout", NULL, NULL},
    {"init_command", NULL, NULL},
    {"isolation_level", NULL, NULL},
    {"read_timeout", NULL, NULL},
    {"sql_mode", NULL, NULL},
    {"use_unicode", NULL, NULL},
    {"write_timeout", NULL, NULL},
    {NULL, NULL, NULL},
};

static const struct key tls_keys[] = {
    {"ca", read_tls_ca, NULL},
    {"cert", read_tls_cert, NULL},
    {"key", read_tls_key, NULL},
    {NULL, NULL, NULL},
};

static void read_keys(struct loading *loading, const struct key *keys,
                      const struct yaml_node *map, const char *name);
static void read_key(struct loading *loading, const struct key *key,
                     const struct yaml_node *value, const char *name);
static void warn_of_others(struct loading *loading, const struct key *keys,
                           const struct yaml_node *map, const char *name);
static void read_file_name(struct loading *loading,
                           const struct yaml_node *value,
                           const struct place *place, const char **ret_name);

void loading_databases(struct loading *loading, const struct yaml_node *value)
{
    const struct yaml_node *own = yaml_tree_get(value, "default");
    struct place place = place_in_file("DATABASES", value);

    if (own == NULL) {
        loading_error(loading, &place, "expected a map with `default`");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        struct text key = value->pairs[i].key->text;

        place = place_in_file(place_name(loading, "DATABASES", key),
                              value->pairs[i].key);
        if (!text_equal_string(key, "default"))
            loading_warning(loading, &place, LOADING_NOT_USED);
    }
    place = place_in_file("DATABASES.default", own);
    read_default(loading, own, &place);
}

static void read_default(struct loading *loading, const struct yaml_node *value,
                         const struct place *place)
{
    if (value->kind == YAML_MAP)
        read_keys(loading, database_keys, value, place->name);
    else
        loading_expected(loading, place, "a map", value);
}

static void read_keys(struct loading *loading, const struct key *keys,
                      const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; keys[i].name != NULL; i++) {
        const struct yaml_node *value = yaml_tree_get(map, keys[i].name);

        if (value != NULL && value->kind != YAML_NULL)
            read_key(loading, &keys[i], value, name);
    }
    warn_of_others(loading, keys, map, name);
}

static void read_key(struct loading *loading, const struct key *key,
                     const struct yaml_node *value, const char *name)
{
    struct place place =
        place_in_file(place_name(loading, name, text_of(key->name)), value);

    if (key->setting != NULL)
        loading_apply(loading, settings_find(text_of(key->setting)), value,
                      &place);
    else if (key->read != NULL)
        key->read(loading, value, &place);
}

static void warn_of_others(struct loading *loading, const struct key *keys,
                           const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->pairs[i].key;
        const struct key *known = keys;
        struct place place;

        while (known->name != NULL &&
               !text_equal_string(key->text, known->name))
            known++;
        if (known->name != NULL)
            continue;
        place = place_in_file(place_name(loading, name, key->text), key);
        loading_warning(loading, &place, LOADING_NOT_KNOWN);
    }
}

static void read_engine(struct loading *loading, const struct yaml_node *value,
                        const struct place *place)
{
    if (value->kind != YAML_TEXT || strstr(value->text.data, "mysql") == NULL)
        loading_expected(loading, place, "an engine for MySQL", value);
}

/* Django takes the port as a text too, and an empty one as none. */
static void read_port(struct loading *loading, const struct yaml_node *value,
                      const struct place *place)
{
    struct yaml_node number = *value;

    if (value->kind == YAML_TEXT && value->text.size == 0)
        return;
    if (value->kind == YAML_TEXT &&
        text_to_integer(value->text, &number.integer))
        number.kind = YAML_INTEGER;
    loading_apply(loading, settings_find(text_of("DB_PORT")), &number, place);
}

static void read_options(struct loading *loading, const struct yaml_node *value,
                         const struct place *place)
{
    if (value->kind == YAML_MAP)
        read_keys(loading, option_keys, value, place->name);
    else
        loading_expected(loading, place, "a map", value);
}

static void read_tls(struct loading *loading, const struct yaml_node *value,
                     const struct place *place)
{
    struct config_database *database = &loading->config->database;

    if (value->kind == YAML_BOOLEAN) {
        database->tls = value->boolean ? CONFIG_TLS_REQUIRED : CONFIG_TLS_OFF;
        return;
    }
    if (value->kind != YAML_MAP) {
        loading_expected(loading, place, "a map with ca, cert, key", value);
        return;
    }
    read_keys(loading, tls_keys, value, place->name);
    database->tls =
        database->tls_ca == NULL ? CONFIG_TLS_REQUIRED : CONFIG_TLS_VERIFY_CA;
}

static void read_tls_ca(struct loading *loading, const struct yaml_node *value,
                        const struct place *place)
{
    read_file_name(loading, value, place, &loading->config->database.tls_ca);
}

static void read_tls_cert(struct loading *loading,
                          const struct yaml_node *value,
                          const struct place *place)
{
    read_file_name(loading, value, place, &loading->config->database.tls_cert);
}

static void read_tls_key(struct loading *loading, const struct yaml_node *value,
                         const struct place *place)
{
    read_file_name(loading, value, place, &loading->config->database.tls_key);
}

static void read_file_name(struct loading *loading,
                           const struct yaml_node *value,
                           const struct place *place, const char **ret_name)
{
    if (value->kind == YAML_TEXT && value->text.size > 0 &&
        check_printable(value->text))
        *ret_name = arena_string(loading->config->arena, value->text);
    else
        loading_expected(loading, place, "the name of a file", value);
}

static void read_tls_mode(struct loading *loading,
                          const struct yaml_node *value,
                          const struct place *place)
{
    static const struct {
        const char *name;
        enum config_tls tls;
    } modes[] = {
        {"DISABLED", CONFIG_TLS_OFF},
        {"REQUIRED", CONFIG_TLS_REQUIRED},
        {"VERIFY_CA", CONFIG_TLS_VERIFY_CA},
        {"VERIFY_IDENTITY", CONFIG_TLS_VERIFY},
    };

    for (size_t i = 0; value->kind == YAML_TEXT && i < ARRAY_LENGTH(modes);
         i++) {
        if (text_equal_ignoring_case(value->text, modes[i].name)) {
            loading->config->database.tls = modes[i].tls;
            return;
        }
    }
    if (value->kind == YAML_TEXT &&
        text_equal_ignoring_case(value->text, "PREFERRED"))
        loading_warning(loading, place, "PREFERRED is not used: see REQUIRED");
    else
        loading_expected(
            loading, place,
            "one of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY", value);
}

/*
 * USERS: a map of the operator's names to passwords.
 */
#include "server/config/loading.h"

/* What the column of Django's table holds, in characters. */
enum { MAX_USER_NAME = 150 };

#define USER_NAME "a user name of 1 to 150 characters"

static void read_user(struct loading *loading, const struct yaml_pair *pair,
                      struct config_user *user);

void loading_users(struct loading *loading, const struct yaml_node *value)
{
    struct config *config = loading->config;
    struct place place = place_in_file("USERS", value);

    if (value->kind != YAML_MAP) {
        loading_expected_secret(loading, &place,
                                "a map of user names to passwords", value);
        return;
    }
    config->user_count = value->count;
    config->users =
        arena_zalloc(config->arena, value->count * sizeof *config->users);
    for (size_t i = 0; i < value->count; i++)
        read_user(loading, &value->pairs[i], &config->users[i]);
}

static void read_user(struct loading *loading, const struct yaml_pair *pair,
                      struct config_user *user)
{
    const char *name = place_name(loading, "USERS", pair->key->text);
    struct place place = place_in_file("USERS", pair->key);

    if (!is_name(pair->key, MAX_USER_NAME))
        loading_expected(loading, &place, USER_NAME, pair->key);
    user->name = arena_string(loading->config->arena, pair->key->text);
    place = place_in_file(name, pair->value);
    if (!is_textual(pair->value))
        loading_expected_secret(loading, &place, "a password, in quotes",
                                pair->value);
    else if (pair->value->text.size == 0)
        loading_error(loading, &place, "expected a password, found \"\"");
    user->password = arena_string(loading->config->arena, pair->value->text);
}

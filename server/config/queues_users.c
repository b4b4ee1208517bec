/*
 * XQUEUES and USERS: maps with names of the operator's choice.
 */
#include "server/config/loading.h"

#include "server/base/utf8.h"
#include "server/config/checks.h"

#include <string.h>

/* What the columns of Django's tables hold, in characters. */
enum { MAX_QUEUE_NAME = 128, MAX_USER_NAME = 150 };

#define QUEUE_NAME "a queue name of 1 to 128 characters, without /"
#define USER_NAME  "a user name of 1 to 150 characters"
#define ADDRESS    "null or an address that starts with http:// or https://"

static bool is_name(const struct yaml_node *key, size_t limit);
static void read_queue(struct loading *loading, const struct yaml_pair *pair,
                       struct config_queue *queue);
static void read_user(struct loading *loading, const struct yaml_pair *pair,
                      struct config_user *user);

void loading_queues(struct loading *loading, const struct yaml_node *value)
{
    struct config *config = loading->config;
    struct place place = place_in_file("XQUEUES", value);

    if (value->kind != YAML_MAP) {
        loading_expected(loading, &place, "a map of queue names", value);
        return;
    }
    config->queue_count = value->count;
    config->queues =
        arena_zalloc(config->arena, value->count * sizeof *config->queues);
    for (size_t i = 0; i < value->count; i++)
        read_queue(loading, &value->pairs[i], &config->queues[i]);
}

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

static void read_queue(struct loading *loading, const struct yaml_pair *pair,
                       struct config_queue *queue)
{
    const char *name = place_name(loading, "XQUEUES", pair->key->text);
    struct place place = place_in_file("XQUEUES", pair->key);

    if (!is_name(pair->key, MAX_QUEUE_NAME) ||
        memchr(pair->key->text.data, '/', pair->key->text.size) != NULL)
        loading_expected(loading, &place, QUEUE_NAME, pair->key);
    queue->name = arena_string(loading->config->arena, pair->key->text);
    if (pair->value->kind == YAML_NULL)
        return;
    place = place_in_file(name, pair->value);
    if (pair->value->kind != YAML_TEXT)
        loading_expected(loading, &place, ADDRESS, pair->value);
    else if (check_web_address(pair->value->text))
        queue->grader_url =
            arena_string(loading->config->arena, pair->value->text);
    else if (strchr(pair->value->text.data, '@') == NULL)
        loading_expected(loading, &place, ADDRESS, pair->value);
    else /* it may hold a password */
        loading_expected_secret(loading, &place, ADDRESS, pair->value);
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

/* YAML reads the names `on` and `null` as something else: quotes help. */
static bool is_name(const struct yaml_node *key, size_t limit)
{
    return is_textual(key) && key->text.size > 0 &&
           utf8_length(key->text) <= limit && check_printable(key->text);
}

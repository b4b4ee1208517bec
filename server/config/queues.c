/*
 * XQUEUES: a map of the operator's names. Beside each stands null, the
 * grader's address, or a map with more about the queue.
 */
#include "server/config/loading.h"

#include "server/config/checks.h"
#include "server/config/queue_keys.h"
#include "server/config/web_address.h"

#include <stddef.h>
#include <string.h>

/* What the column of Django's table holds, in characters. */
enum { MAX_QUEUE_NAME = 128 };

#define QUEUE_NAME "a queue name of 1 to 128 characters, without /"
#define ADDRESS    "an address that starts with http:// or https://"

static void read_queue(struct loading *loading, const struct yaml_pair *pair,
                       struct config_queue *queue);
static void read_map(struct loading *loading, const struct yaml_node *map,
                     const char *name, struct config_queue *queue);
static void read_url(struct loading *loading, const struct yaml_node *url,
                     const char *name, struct config_queue *queue);
static void read_key(struct loading *loading, const struct yaml_pair *pair,
                     const char *name, bool is_pushed,
                     struct config_queue *queue);
static void refuse_key(struct loading *loading, const struct yaml_node *key,
                       const char *name);
static void read_value(struct loading *loading, const struct queue_key *key,
                       const struct yaml_node *value, const struct place *place,
                       struct config_queue *queue);
static void read_address(struct loading *loading, const struct yaml_node *value,
                         const struct place *place, const char *expected,
                         struct config_queue *queue);

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

static void read_queue(struct loading *loading, const struct yaml_pair *pair,
                       struct config_queue *queue)
{
    struct text name = pair->key->text;
    const struct yaml_node *value = pair->value;
    struct place place = place_in_file("XQUEUES", pair->key);

    if (!is_name(pair->key, MAX_QUEUE_NAME) ||
        memchr(name.data, '/', name.size) != NULL)
        loading_expected(loading, &place, QUEUE_NAME, pair->key);
    queue_keys_inherit(loading->config, queue);
    queue->name = arena_string(loading->config->arena, name);
    place = place_in_file(place_name(loading, "XQUEUES", name), value);
    if (value->kind == YAML_MAP)
        read_map(loading, value, place.name, queue);
    else if (value->kind != YAML_NULL)
        read_address(loading, value, &place, "null, " ADDRESS ", or a map",
                     queue);
}

/*
 * Null stands for what is not said. The address comes first: `basic_auth`
 * replaces a password that stands in it.
 */
static void read_map(struct loading *loading, const struct yaml_node *map,
                     const char *name, struct config_queue *queue)
{
    const struct yaml_node *url = yaml_tree_get(map, "url");
    bool is_pushed = url != NULL && url->kind != YAML_NULL;

    if (is_pushed)
        read_url(loading, url, name, queue);
    for (size_t i = 0; i < map->count; i++) {
        if (map->pairs[i].value != url)
            read_key(loading, &map->pairs[i], name, is_pushed, queue);
    }
}

static void read_url(struct loading *loading, const struct yaml_node *url,
                     const char *name, struct config_queue *queue)
{
    struct place place =
        place_in_file(place_name(loading, name, text_of("url")), url);

    read_address(loading, url, &place, "null or " ADDRESS, queue);
}

static void read_key(struct loading *loading, const struct yaml_pair *pair,
                     const char *name, bool is_pushed,
                     struct config_queue *queue)
{
    struct text word = pair->key->text;
    const struct queue_key *key = queue_keys_find(word);
    struct place place =
        place_in_file(place_name(loading, name, word), pair->value);

    if (key == NULL)
        refuse_key(loading, pair->key, name);
    else if (pair->value->kind == YAML_NULL)
        return;
    else if (key->only_pushed && !is_pushed)
        loading_error(loading, &place, "only for a queue with a `url`");
    else
        read_value(loading, key, pair->value, &place, queue);
}

static void refuse_key(struct loading *loading, const struct yaml_node *key,
                       const char *name)
{
    struct place place = place_in_file(name, key);
    struct buffer expected = {NULL, 0, 0};

    queue_keys_describe(&expected);
    loading_expected(loading, &place, expected.data, key);
    buffer_free(&expected);
}

static void read_value(struct loading *loading, const struct queue_key *key,
                       const struct yaml_node *value, const struct place *place,
                       struct config_queue *queue)
{
    struct setting setting = queue_key_setting(key);

    if (setting.type == SETTING_BASIC_AUTH && value->kind == YAML_BOOLEAN &&
        !value->boolean) {
        queue->basic_auth_user = NULL;
        queue->basic_auth_password = NULL;
        return;
    }
    loading_apply_at(loading, &setting, value, place, queue);
    if (key->offset == offsetof(struct config_queue, verify_tls) &&
        value->kind == YAML_BOOLEAN && !value->boolean)
        loading_warning(loading, place, "any certificate will do");
}

static void read_address(struct loading *loading, const struct yaml_node *value,
                         const struct place *place, const char *expected,
                         struct config_queue *queue)
{
    bool is_text = value->kind == YAML_TEXT;
    struct web_address address;

    if (!is_text ||
        !web_address_parse(loading->config->arena, value->text, &address)) {
        /* What has an @ may have a password, too. */
        if (is_text && memchr(value->text.data, '@', value->text.size) != NULL)
            loading_expected_secret(loading, place, expected, value);
        else
            loading_expected(loading, place, expected, value);
        return;
    }
    queue->grader_url = address.url;
    if (queue->basic_auth_user == NULL) { /* REQUESTS_BASIC_AUTH wins */
        queue->basic_auth_user = address.user;
        queue->basic_auth_password = address.password;
    }
}

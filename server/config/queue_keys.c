/*
 * The keys of a queue's map. Their values are read as those of the setting
 * that they stand in for.
 */
#include "server/config/queue_keys.h"

#include "server/config/settings.h"

#include <stddef.h>

#define AT(member) offsetof(struct config_queue, member)

static const struct setting concurrency = {
    .type = SETTING_INTEGER,
    .min = 1,
    .max = 256,
};

static const struct setting keep_alive = {
    .type = SETTING_BOOLEAN,
};

static const struct queue_key keys[] = {
    {"concurrency", NULL, &concurrency, AT(concurrency), true},
    {"timeout", "GRADING_TIMEOUT", NULL, AT(timeout_s), true},
    {"keep_alive", NULL, &keep_alive, AT(keep_alive), true},
    {"processing_delay", "SUBMISSION_PROCESSING_DELAY", NULL,
     AT(processing_delay_min), false},
    {"max_attempts", "MAX_ATTEMPTS", NULL, AT(max_attempts), false},
    {"basic_auth", "REQUESTS_BASIC_AUTH", NULL, AT(basic_auth_user), true},
    {"verify_tls", "VERIFY_TLS", NULL, AT(verify_tls), true},
    {"ca_file", "TLS_CA_FILE", NULL, AT(tls_ca_file), true},
};

const struct queue_key *queue_keys(size_t *ret_count)
{
    *ret_count = ARRAY_LENGTH(keys);
    return keys;
}

const struct queue_key *queue_keys_find(struct text name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        if (text_equal_string(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

struct setting queue_key_setting(const struct queue_key *key)
{
    struct setting setting =
        key->like == NULL ? *key->own : *settings_find(text_of(key->like));

    setting.name = key->name;
    setting.offset = key->offset;
    if (setting.type == SETTING_BASIC_AUTH) {
        setting.password_offset = AT(basic_auth_password);
        setting.expected = "false or user and password";
    }
    return setting;
}

void queue_keys_describe(struct buffer *out)
{
    buffer_append_string(out, "one of url");
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        buffer_printf(out, ", %s", keys[i].name);
}

void queue_keys_inherit(const struct config *config,
                        struct config_queue *ret_queue)
{
    *ret_queue = (struct config_queue){
        .concurrency = 1,
        .timeout_s = config->grading_timeout_s,
        .processing_delay_min = config->processing_delay_min,
        .max_attempts = config->max_attempts,
        .basic_auth_user = config->basic_auth_user,
        .basic_auth_password = config->basic_auth_password,
        .verify_tls = config->verify_tls,
        .tls_ca_file = config->tls_ca_file,
    };
}

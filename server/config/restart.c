/*
 * What a reload cannot do: settings that are read once, at the start.
 */
#include "server/config/config.h"

#include "server/config/settings.h"

#include <string.h>

static bool differs(const struct setting *setting, const struct config *left,
                    const struct config *right);

void config_needs_restart(const struct config *running,
                          const struct config *loaded, struct buffer *ret_names)
{

    for (size_t i = 0; i < settings_count(); i++) {
        const struct setting *setting = settings_at(i);

        if (setting->reloads || !differs(setting, running, loaded))
            continue;
        if (ret_names->size > 0)
            buffer_append_string(ret_names, ", ");
        buffer_append_string(ret_names, setting->name);
    }
}

bool config_texts_equal(const char *left, const char *right)
{
    if (left == NULL || right == NULL)
        return left == right;
    return strcmp(left, right) == 0;
}

bool config_lists_equal(const struct config_list *left,
                        const struct config_list *right)
{
    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; i++) {
        if (strcmp(left->items[i], right->items[i]) != 0)
            return false;
    }
    return true;
}

static bool differs(const struct setting *setting, const struct config *left,
                    const struct config *right)
{
    const void *one = setting_value(setting, left);
    const void *other = setting_value(setting, right);

    switch (setting->type) {
    case SETTING_BOOLEAN:
        return *(const bool *)one != *(const bool *)other;
    case SETTING_INTEGER:
    case SETTING_SIZE:
        return *(const int64_t *)one != *(const int64_t *)other;
    case SETTING_NUMBER:
        return memcmp(one, other, sizeof(double)) != 0;
    case SETTING_CHOICE:
        return memcmp(one, other, sizeof(int)) != 0;
    case SETTING_TEXT:
    case SETTING_CHOICE_TEXT:
        return !config_texts_equal(*(const char *const *)one,
                                   *(const char *const *)other);
    case SETTING_LIST:
        return !config_lists_equal(one, other);
    case SETTING_DATABASES: /* its parts are settings of their own */
    case SETTING_BASIC_AUTH:
    case SETTING_QUEUES:
    case SETTING_USERS:
        break;
    }
    return false;
}

/*
 * One setting, in words.
 */
#include "server/config/setting.h"

#include <math.h>

static void describe_range(const struct setting *setting, struct buffer *out);
static void describe_choices(const struct setting *setting, struct buffer *out);

bool setting_is_single(const struct setting *setting)
{
    return setting->type < SETTING_QUEUES;
}

bool setting_has_variable(const struct setting *setting)
{
    return setting->type != SETTING_DATABASES;
}

void *setting_target(const struct setting *setting, void *base)
{
    return (char *)base + setting->offset;
}

const void *setting_value(const struct setting *setting, const void *base)
{
    return (const char *)base + setting->offset;
}

void setting_describe(const struct setting *setting, struct buffer *out)
{
    static const char *const words[] = {
        [SETTING_BOOLEAN] = "true or false",
        [SETTING_INTEGER] = "a whole number",
        [SETTING_NUMBER] = "a number",
        [SETTING_SIZE] = "a size such as 256 MB",
        [SETTING_TEXT] = "a text",
        [SETTING_CHOICE] = "one of ",
        [SETTING_CHOICE_TEXT] = "one of ",
        [SETTING_LIST] = "a list of texts",
        [SETTING_BASIC_AUTH] = "user and password",
        [SETTING_QUEUES] = "a map of queue names",
        [SETTING_USERS] = "a map of user names to passwords",
        [SETTING_DATABASES] = "a map with `default`",
    };

    if (setting->expected != NULL) {
        buffer_append_string(out, setting->expected);
        return;
    }
    buffer_append_string(out, words[setting->type]);
    if (setting->choices != NULL)
        describe_choices(setting, out);
    else if (setting->max > 0)
        describe_range(setting, out);
}

void setting_describe_size(double bytes, struct buffer *out)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB"};
    size_t unit = 0;

    while (unit + 1 < ARRAY_LENGTH(units) && bytes >= 1024 &&
           fmod(bytes, 1024) == 0) {
        bytes /= 1024;
        unit++;
    }
    buffer_printf(out, "%.15g %s", bytes, units[unit]);
}

static void describe_range(const struct setting *setting, struct buffer *out)
{
    if (setting->type == SETTING_SIZE) {
        buffer_append_string(out, " from ");
        setting_describe_size(setting->min, out);
        buffer_append_string(out, " to ");
        setting_describe_size(setting->max, out);
        return;
    }
    if (setting->unit != NULL)
        buffer_printf(out, " of %s", setting->unit);
    if (setting->above_min)
        buffer_printf(out, " above %.15g, at most %.15g", setting->min,
                      setting->max);
    else
        buffer_printf(out, " from %.15g to %.15g", setting->min, setting->max);
}

static void describe_choices(const struct setting *setting, struct buffer *out)
{
    for (size_t i = 0; setting->choices[i].name != NULL; i++)
        buffer_printf(out, "%s%s", i == 0 ? "" : ", ",
                      setting->choices[i].name);
}

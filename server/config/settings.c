/*
 * All settings, section by section.
 */
#include "server/config/settings.h"

static const struct setting_section *const sections[] = {
    &settings_service,
    &settings_delivery,
    &settings_files,
    &settings_limits,
};

size_t settings_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++)
        count += sections[i]->count;
    return count;
}

const struct setting *settings_at(size_t index)
{
    size_t section = 0;

    while (index >= sections[section]->count)
        index -= sections[section++]->count;
    return &sections[section]->settings[index];
}

const struct setting *settings_find(struct text name)
{
    for (size_t i = 0; i < settings_count(); i++) {
        if (text_equal_string(name, settings_at(i)->name))
            return settings_at(i);
    }
    return NULL;
}

/*
 * The one table of all settings: loading, `xqueue settings` and the README's
 * table are made from it. It has sections, a file for each.
 */
#ifndef XQUEUE_CONFIG_SETTINGS_H
#define XQUEUE_CONFIG_SETTINGS_H

#include "server/config/setting.h"

struct setting_section {
    const struct setting *settings;
    size_t count;
};

extern const struct setting_section settings_service;
extern const struct setting_section settings_delivery;
extern const struct setting_section settings_files;
extern const struct setting_section settings_limits;

/* In the order in which people read them. */
size_t settings_count(void);
const struct setting *settings_at(size_t index); /* below that count */

/* NULL when there is none. */
const struct setting *settings_find(struct text name);

#endif

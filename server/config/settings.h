/*
 * The one table of all settings: loading, `xqueue settings` and the README's
 * table are made from it.
 */
#ifndef XQUEUE_CONFIG_SETTINGS_H
#define XQUEUE_CONFIG_SETTINGS_H

#include "server/config/setting.h"

/* In the order in which people read them. */
const struct setting *settings_table(size_t *ret_count);

/* NULL when there is none. */
const struct setting *settings_find(struct text name);

#endif

/*
 * Settings of the Django server, of its libraries and of the tools around
 * it, which mean nothing here.
 */
#ifndef XQUEUE_CONFIG_FOREIGN_H
#define XQUEUE_CONFIG_FOREIGN_H

#include "server/base/text.h"

bool foreign_is_known(struct text name);

#endif

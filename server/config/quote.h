/*
 * Foreign text in a message of one line: bounded, control characters as
 * escapes. Results are from malloc; the caller frees them.
 */
#ifndef XQUEUE_CONFIG_QUOTE_H
#define XQUEUE_CONFIG_QUOTE_H

#include "server/base/text.h"

/* In double quotes: "abc". */
char *quote_text(struct text text);

/* Bare, for the name of a key. */
char *quote_name(struct text text);

#endif

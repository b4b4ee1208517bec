/*
 * One setting: an entry of the table in settings.c.
 */
#ifndef XQUEUE_CONFIG_SETTING_H
#define XQUEUE_CONFIG_SETTING_H

#include "server/config/config.h"

enum setting_type {
    SETTING_BOOLEAN,     /* bool */
    SETTING_INTEGER,     /* int64_t */
    SETTING_NUMBER,      /* double */
    SETTING_SIZE,        /* int64_t: bytes, written "256 MB" */
    SETTING_TEXT,        /* const char *; empty counts as not given */
    SETTING_CHOICE,      /* an enum: `choices` has its names */
    SETTING_CHOICE_TEXT, /* const char *: the name in `choices`, or NULL */
    SETTING_LIST,        /* struct config_list */
    SETTING_BASIC_AUTH,  /* basic_auth_user and basic_auth_password */
    SETTING_QUEUES,      /* from here on maps */
    SETTING_USERS,
    SETTING_DATABASES
};

struct setting_choice {
    const char *name; /* NULL ends the row */
    int value;
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;          /* in struct config, or see queue_keys.h */
    size_t password_offset; /* of SETTING_BASIC_AUTH, whose user is before */
    const char *fallback;   /* the default, as in the environment; NULL: none */
    double min;             /* numbers and sizes: both ends are allowed */
    double max;
    const char *unit; /* in words, or NULL */
    const char *help; /* one line */
    const struct setting_choice *choices;
    bool (*is_good)(struct text value); /* a text's own check, or NULL */
    const char *expected;               /* and what it wants */
    bool above_min;                     /* min itself is not allowed */
    bool may_be_empty;                  /* a text: not the default then */
    bool in_database; /* not a key of the file: part of DATABASES */
    bool secret;      /* never printed */
    bool reloads;     /* SIGHUP applies a new value */
};

/* Is it no map? Then an option can give it. */
bool setting_is_single(const struct setting *setting);

/* Can the environment give it? DATABASES has DB_HOST and so on instead. */
bool setting_has_variable(const struct setting *setting);

/* Where it is in `*base`: a struct config, mostly. */
void *setting_target(const struct setting *setting, void *base);
const void *setting_value(const struct setting *setting, const void *base);

/* "a whole number from 1 to 64": for messages and help. */
void setting_describe(const struct setting *setting, struct buffer *out);

/* Bytes in the largest unit that divides them: "80 MB". */
void setting_describe_size(double bytes, struct buffer *out);

#endif

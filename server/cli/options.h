/*
 * The arguments of a command, and the configuration they lead to.
 *
 * Every command takes --help, --config FILE (instead of XQUEUE_CFG) and
 * --set NAME=VALUE (over every setting); the options that Django's manage.py
 * gives to all commands (--settings, --verbosity ...) are taken and ignored.
 */
#ifndef XQUEUE_CLI_OPTIONS_H
#define XQUEUE_CLI_OPTIONS_H

#include "server/config/config.h"

enum { OPTIONS_MAX = 16, OVERRIDES_MAX = 32 };

struct option_spec {
    const char *name;     /* long, without the dashes */
    char letter;          /* short, or 0 */
    const char *argument; /* what it takes, for the help; NULL: a flag */
    const char *help;     /* NULL: taken and ignored, not shown */
};

struct options {
    const struct option_spec *specs;
    const char *values[OPTIONS_MAX]; /* by place in specs; NULL: not given */
    const char *config_path;         /* NULL: no file */
    struct config_override overrides[OVERRIDES_MAX];
    size_t override_count;
    const char *const *words; /* arguments that are no options */
    size_t word_count;
};

struct command;

enum options_status { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG };

/*
 * Parse argv[1...], of which words are moved and cut up, and which is borrowed
 * for as long as the result is used. OPTIONS_WRONG after saying why on
 * standard error.
 */
enum options_status options_parse(const struct command *command, int argc,
                                  char **argv, struct options *ret_options);

void options_print_help(const struct command *command);

/* The value of an option, "" for a flag, NULL when it was not given. */
const char *options_get(const struct options *options, const char *name);

/* Put NAME=value in front of what the file and the environment say. */
void options_override(struct options *options, const char *name,
                      const char *value);

/*
 * Load the configuration, print what is wrong with it (or its warnings) on
 * standard error, set the log's level and format. NULL when it is wrong.
 */
struct config *options_load_config(const struct options *options);

/*
 * A whole number of an option; `fallback` when it is not given. False, after
 * saying so, when it is not a number from `least` on.
 */
bool options_get_number(const struct options *options, const char *name,
                        int64_t least, int64_t fallback, int64_t *ret_number);

#endif

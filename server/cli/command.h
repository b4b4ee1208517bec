/*
 * A command of the program: `xqueue NAME ...`. One file each, with a const
 * entry in the table of main.c.
 */
#ifndef XQUEUE_CLI_COMMAND_H
#define XQUEUE_CLI_COMMAND_H

#include "server/cli/options.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *arguments; /* for the usage line: "[--force] [QUEUE...]" */
    const char *summary;   /* one line */
    const char *details;   /* more for --help; may be NULL */
    const struct option_spec *options; /* ends with name NULL; may be NULL */
    size_t most_words;                 /* arguments that are no options */
    enum exit_code (*run)(const struct options *options);
};

extern const struct command command_serve;
extern const struct command command_runserver;
extern const struct command command_run_consumer;
extern const struct command command_migrate;
extern const struct command command_update_users;
extern const struct command command_check;
extern const struct command command_health;
extern const struct command command_count;
extern const struct command command_retire_failed;
extern const struct command command_retire_old;
extern const struct command command_delete_old;
extern const struct command command_files;
extern const struct command command_settings;
extern const struct command command_version;

#endif

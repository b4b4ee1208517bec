/*
 * xqueue settings: the table of settings, or how they stand.
 */
#include "server/cli/command.h"

#include <stdio.h>

static const struct option_spec specs[] = {
    {"markdown", 0, NULL, "as a Markdown table"},
    {"effective", 0, NULL, "how they stand now, secrets masked"},
    {NULL, 0, NULL, NULL},
};

static enum exit_code run(const struct options *options)
{
    struct config *config;

    if (options_get(options, "markdown") != NULL) {
        config_print_markdown(stdout);
        return EXIT_DONE;
    }
    if (options_get(options, "effective") == NULL) {
        config_print_help(stdout);
        return EXIT_DONE;
    }
    config = options_load_config(options);
    if (config == NULL)
        return EXIT_FAILED;
    config_print(config, stdout);
    config_free(config);
    return EXIT_DONE;
}

const struct command command_settings = {
    .name = "settings",
    .arguments = "[--markdown | --effective]",
    .summary = "List every setting with its default and meaning.",
    .options = specs,
    .run = run,
};

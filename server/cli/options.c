/*
 * The arguments of a command, by getopt_long(3).
 */
#include "server/cli/options.h"

#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/cli/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CODE = 1000, /* getopt's codes of a command's own options */
    CODE_CONFIG = 2000,
    CODE_SET,
    CODE_HELP,
    CODE_IGNORED
};

static const struct option common[] = {
    {"help", no_argument, NULL, CODE_HELP},
    {"config", required_argument, NULL, CODE_CONFIG},
    {"set", required_argument, NULL, CODE_SET},
    /* Of Django's manage.py. */
    {"settings", required_argument, NULL, CODE_IGNORED},
    {"pythonpath", required_argument, NULL, CODE_IGNORED},
    {"verbosity", required_argument, NULL, CODE_IGNORED},
    {"traceback", no_argument, NULL, CODE_IGNORED},
    {"no-color", no_argument, NULL, CODE_IGNORED},
    {"force-color", no_argument, NULL, CODE_IGNORED},
    {"skip-checks", no_argument, NULL, CODE_IGNORED},
};

struct getopt_table {
    struct option longs[OPTIONS_MAX + ARRAY_LENGTH(common) + 1];
    char shorts[2 * OPTIONS_MAX + 8];
};

static void fill_table(const struct option_spec *specs,
                       struct getopt_table *table);
static bool take_option(struct options *options, int code);
static bool take_setting(struct options *options, char *assignment);
static void print_specs(const struct option_spec *specs);

enum options_status options_parse(const struct command *command, int argc,
                                  char **argv, struct options *ret_options)
{
    struct getopt_table table;
    int code;

    memset(ret_options, 0, sizeof *ret_options);
    ret_options->specs = command->options;
    ret_options->config_path = config_default_path();
    fill_table(command->options, &table);
    optind = 0; /* glibc: start afresh */
    while ((code = getopt_long(argc, argv, table.shorts, table.longs, NULL)) !=
           -1) {
        if (code == CODE_HELP || code == 'h')
            return OPTIONS_HELP;
        if (!take_option(ret_options, code)) {
            fprintf(stderr, "Try: xqueue %s --help\n", command->name);
            return OPTIONS_WRONG;
        }
    }
    ret_options->words = (const char *const *)argv + optind;
    ret_options->word_count = (size_t)(argc - optind);
    return OPTIONS_OK;
}

void options_print_help(const struct command *command)
{
    printf("Usage: xqueue %s%s%s\n\n%s\n", command->name,
           command->arguments[0] == '\0' ? "" : " ", command->arguments,
           command->summary);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    puts("\nOptions:");
    if (command->options != NULL)
        print_specs(command->options);
    puts("      --config FILE            the configuration, instead of the"
         " file named by XQUEUE_CFG\n"
         "      --set NAME=VALUE         a setting, over file and environment\n"
         "  -h, --help                   this text\n\n"
         "Settings are listed by: xqueue settings");
}

const char *options_get(const struct options *options, const char *name)
{
    for (size_t i = 0; options->specs[i].name != NULL; i++) {
        if (strcmp(options->specs[i].name, name) == 0)
            return options->values[i];
    }
    fatal("option --%s is not in the table", name);
}

void options_override(struct options *options, const char *name,
                      const char *value)
{
    if (options->override_count == OVERRIDES_MAX)
        fatal("more than %d settings given as options", OVERRIDES_MAX);
    options->overrides[options->override_count++] =
        (struct config_override){name, value};
}

struct config *options_load_config(const struct options *options)
{
    struct buffer messages = {NULL, 0, 0};
    struct config *config =
        config_load(options->config_path, options->overrides,
                    options->override_count, &messages);

    if (config == NULL) {
        fprintf(stderr, "The configuration is wrong:\n%s",
                messages.size > 0 ? messages.data : "");
    } else {
        log_set_level(config->log_level);
        log_set_format(config->log_format);
        if (messages.size > 0 && log_is_on(LOG_WARNING))
            fprintf(stderr, "%s", messages.data);
    }
    buffer_free(&messages);
    return config;
}

bool options_get_number(const struct options *options, const char *name,
                        int64_t least, int64_t fallback, int64_t *ret_number)
{
    const char *value = options_get(options, name);
    int64_t number;

    if (value == NULL) {
        *ret_number = fallback;
        return true;
    }
    if (!text_to_integer(text_of(value), &number) || number < least) {
        fprintf(stderr,
                "xqueue: --%s: expected a whole number from %lld on,"
                " found \"%s\"\n",
                name, (long long)least, value);
        return false;
    }
    *ret_number = number;
    return true;
}

static void fill_table(const struct option_spec *specs,
                       struct getopt_table *table)
{
    size_t count = 0;
    size_t letters = 0;

    for (; specs != NULL && specs[count].name != NULL; count++) {
        bool takes = specs[count].argument != NULL;

        if (count == OPTIONS_MAX)
            fatal("more than %d options", OPTIONS_MAX);
        table->longs[count] = (struct option){
            specs[count].name, takes ? required_argument : no_argument, NULL,
            FIRST_CODE + (int)count};
        if (specs[count].letter != 0) {
            table->shorts[letters++] = specs[count].letter;
            if (takes)
                table->shorts[letters++] = ':';
        }
    }
    memcpy(table->shorts + letters, "hv:", sizeof "hv:");
    memcpy(table->longs + count, common, sizeof common);
    memset(&table->longs[count + ARRAY_LENGTH(common)], 0,
           sizeof(struct option));
}

static bool take_option(struct options *options, int code)
{
    const struct option_spec *specs = options->specs;

    if (code == '?')
        return false;
    if (code == CODE_CONFIG)
        options->config_path = optarg;
    if (code == CODE_SET)
        return take_setting(options, optarg);
    for (size_t i = 0; specs != NULL && specs[i].name != NULL; i++) {
        if (code == FIRST_CODE + (int)i ||
            (specs[i].letter != 0 && code == specs[i].letter))
            options->values[i] = optarg == NULL ? "" : optarg;
    }
    return true;
}

static bool take_setting(struct options *options, char *assignment)
{
    char *equals = strchr(assignment, '=');

    if (equals == NULL || equals == assignment) {
        fprintf(stderr, "xqueue: --set: expected NAME=VALUE, found \"%s\"\n",
                assignment);
        return false;
    }
    if (options->override_count == OVERRIDES_MAX) {
        fprintf(stderr, "xqueue: --set: more than %d settings\n",
                OVERRIDES_MAX);
        return false;
    }
    *equals = '\0';
    options_override(options, assignment, equals + 1);
    return true;
}

static void print_specs(const struct option_spec *specs)
{
    for (; specs->name != NULL; specs++) {
        char name[64];
        char letter[8] = "    ";

        if (specs->help == NULL)
            continue;
        if (specs->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", specs->letter);
        snprintf(name, sizeof name, "--%s %s", specs->name,
                 specs->argument == NULL ? "" : specs->argument);
        printf("  %s%-24s %s\n", letter, name, specs->help);
    }
}

/*
 * xqueue serve, runserver and run_consumer
 */
#include "server/cli/serve.h"

#include "server/cli/service.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec serve_specs[] = {
    {"role", 0, "ROLES", "web, deliver, or web,deliver (both)"},
    {"listen", 0, "ADDR:PORT", "the setting LISTEN"},
    {NULL, 0, NULL, NULL},
};

/* What Django's runserver takes and a single process has no use for. */
static const struct option_spec runserver_specs[] = {
    {"noreload", 0, NULL, NULL}, {"nothreading", 0, NULL, NULL},
    {"insecure", 0, NULL, NULL}, {"nostatic", 0, NULL, NULL},
    {"ipv6", '6', NULL, NULL},   {NULL, 0, NULL, NULL},
};

static const struct command *const commands[] = {
    &command_serve,
    &command_runserver,
    &command_run_consumer,
};

static bool take_role(const struct options *options, struct serving *serving);
static bool parse_roles(const char *text, int *ret_roles);
static bool take_word(const struct options *options, struct serving *serving);

const struct command *serving_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

bool serving_begin(const struct command *command, const struct options *options,
                   struct serving *ret_serving)
{
    ret_serving->options = *options;
    ret_serving->roles = ROLE_WEB | ROLE_DELIVER;
    if (command == &command_serve)
        return take_role(options, ret_serving);
    if (command == &command_runserver)
        return take_word(options, ret_serving);
    ret_serving->roles = ROLE_DELIVER;
    return true;
}

static bool take_role(const struct options *options, struct serving *serving)
{
    const char *listen = options_get(options, "listen");

    if (!parse_roles(options_get(options, "role"), &serving->roles))
        return false;
    if (listen != NULL)
        options_override(&serving->options, "LISTEN", listen);
    return true;
}

static bool parse_roles(const char *text, int *ret_roles)
{
    if (text == NULL || strcmp(text, "web,deliver") == 0 ||
        strcmp(text, "deliver,web") == 0) {
        *ret_roles = ROLE_WEB | ROLE_DELIVER;
    } else if (strcmp(text, "web") == 0) {
        *ret_roles = ROLE_WEB;
    } else if (strcmp(text, "deliver") == 0) {
        *ret_roles = ROLE_DELIVER;
    } else {
        fprintf(stderr,
                "xqueue: --role: expected web, deliver or web,deliver, found"
                " \"%s\"\n",
                text);
        return false;
    }
    return true;
}

/* "8000" alone means port 8000 of the loopback address, as Django has it. */
static bool take_word(const struct options *options, struct serving *serving)
{
    const char *word;

    if (options->word_count == 0)
        return true;
    word = options->words[0];
    snprintf(serving->address, sizeof serving->address, "%s%s",
             strchr(word, ':') == NULL ? "127.0.0.1:" : "", word);
    options_override(&serving->options, "LISTEN", serving->address);
    return true;
}

static enum exit_code run(const struct command *command,
                          const struct options *options)
{
    struct serving serving;

    if (!serving_begin(command, options, &serving))
        return EXIT_USAGE;
    return (enum exit_code)service_run(&serving.options, serving.roles);
}

static enum exit_code run_serve(const struct options *options)
{
    return run(&command_serve, options);
}

static enum exit_code run_runserver(const struct options *options)
{
    return run(&command_runserver, options);
}

static enum exit_code run_consumer(const struct options *options)
{
    return run(&command_run_consumer, options);
}

const struct command command_serve = {
    .name = "serve",
    .arguments = "[--role ROLES] [--listen ADDR:PORT]",
    .summary = "Run the service: requests, callbacks, leases.",
    .details = "Any number of these may share one database. SIGTERM stops"
               " gracefully, SIGHUP\nreads the configuration again.",
    .options = serve_specs,
    .run = run_serve,
};

const struct command command_runserver = {
    .name = "runserver",
    .arguments = "[ADDR:PORT]",
    .summary = "Django's name for: serve",
    .options = runserver_specs,
    .most_words = 1,
    .run = run_runserver,
};

const struct command command_run_consumer = {
    .name = "run_consumer",
    .arguments = "",
    .summary = "Django's name for: serve --role deliver",
    .run = run_consumer,
};

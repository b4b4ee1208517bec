/*
 * xqueue serve, runserver and run_consumer
 */
#include "server/cli/command.h"
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

static bool parse_roles(const char *text, int *ret_roles);

static enum exit_code run_serve(const struct options *options)
{
    struct options copy = *options;
    const char *listen = options_get(options, "listen");
    int roles;

    if (!parse_roles(options_get(options, "role"), &roles))
        return EXIT_USAGE;
    if (listen != NULL)
        options_override(&copy, "LISTEN", listen);
    return (enum exit_code)service_run(&copy, roles);
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
static enum exit_code run_runserver(const struct options *options)
{
    struct options copy = *options;
    char address[256];

    if (options->word_count == 1) {
        bool port_only = strchr(options->words[0], ':') == NULL;

        snprintf(address, sizeof address, "%s%s", port_only ? "127.0.0.1:" : "",
                 options->words[0]);
        options_override(&copy, "LISTEN", address);
    }
    return (enum exit_code)service_run(&copy, ROLE_WEB | ROLE_DELIVER);
}

static enum exit_code run_consumer(const struct options *options)
{
    return (enum exit_code)service_run(options, ROLE_DELIVER);
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

/*
 * xqueue: the table of commands.
 */
#include "server/cli/command.h"

#include "server/base/arena.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_serve,         &command_migrate,    &command_update_users,
    &command_check,         &command_health,     &command_count,
    &command_retire_failed, &command_retire_old, &command_delete_old,
    &command_files,         &command_runserver,  &command_run_consumer,
    &command_settings,      &command_version,
};

static void be_first_process(void);
static void end(int number);
static const struct command *find_command(const char *name);
static enum exit_code run_copied(const struct command *command, int argc,
                                 char **argv);
static enum exit_code run(const struct command *command, int argc, char **argv);
static void print_usage(FILE *out);

int main(int argc, char **argv)
{
    const struct command *command;
    bool asks = argc > 1 &&
                (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                 strcmp(argv[1], "help") == 0);

    signal(SIGPIPE, SIG_IGN);
    if (getpid() == 1)
        be_first_process();
    if (argc < 2 || (asks && argc == 2)) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = "version";
    command = find_command(argv[asks ? 2 : 1]);
    if (command == NULL) {
        fprintf(stderr, "xqueue: no command \"%s\"; see xqueue --help\n",
                argv[asks ? 2 : 1]);
        return EXIT_USAGE;
    }
    if (asks) {
        options_print_help(command);
        return EXIT_DONE;
    }
    return (int)run_copied(command, argc - 1, argv + 1);
}

/*
 * As the first process of a container we would not be ended by a signal that
 * we do not handle, and orphans of what was run beside us become ours: the
 * kernel shall bury them.
 */
static void be_first_process(void)
{
    signal(SIGINT, end);
    signal(SIGTERM, end);
    signal(SIGCHLD, SIG_IGN);
}

static void end(int number)
{
    _exit(128 + number);
}

/* Parsing cuts words up. Ours stay whole for who looks at us: see health.c. */
static enum exit_code run_copied(const struct command *command, int argc,
                                 char **argv)
{
    struct arena *arena = arena_new();
    char **words = arena_zalloc(arena, ((size_t)argc + 1) * sizeof *words);
    enum exit_code code;

    for (int i = 0; i < argc; i++)
        words[i] = arena_strdup(arena, argv[i]);
    code = run(command, argc, words);
    arena_free(arena);
    return code;
}

static enum exit_code run(const struct command *command, int argc, char **argv)
{
    struct options options;

    switch (options_parse(command, argc, argv, &options)) {
    case OPTIONS_HELP:
        options_print_help(command);
        return EXIT_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_OK:
        break;
    }
    if (options.word_count > command->most_words) {
        fprintf(stderr, "xqueue: %s takes no argument \"%s\"\n", command->name,
                options.words[command->most_words]);
        return EXIT_USAGE;
    }
    return command->run(&options);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static void print_usage(FILE *out)
{
    fputs("Usage: xqueue COMMAND [OPTIONS]\n\n"
          "The queue between an LMS and the programs that grade learners'"
          " code.\n\nCommands:\n",
          out);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        fprintf(out, "  %-26s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nxqueue COMMAND --help tells more. Exit codes: 0 done, 1 failed,"
          " 2 usage.\n",
          out);
}

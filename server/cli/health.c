/*
 * xqueue health: does the server answer?
 *
 * It listens where the settings say, and where its options say. The settings
 * we read as it has, the options are in its command line: --process says
 * whose, or whose parent's, which may be a shell or an init. So an image can
 * ask after whatever its container was told to run.
 */
#include "server/cli/command.h"
#include "server/cli/serve.h"
#include "server/cli/service.h"

#include "server/base/arena.h"
#include "server/base/memory.h"
#include "server/fetch/fetch.h"
#include "server/task/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATIENCE_MS = 2500, /* an image waits for 3 s */
    MOST_WORDS = 256,
    MOST_BYTES = 64 * 1024,
    MOST_PARENTS = 4,
    REPLY_BYTES = 1024
};

static const struct option_spec specs[] = {
    {"process", 0, "NUMBER", "the server is this process, or a child of it"},
    {NULL, 0, NULL, NULL},
};

struct question {
    struct fetch fetch;
    struct loop *loop;
};

static bool find_serving(const struct options *options, struct arena *arena,
                         struct serving *ret_serving);
static const struct command *find_command(char **words, size_t *count);
static int64_t first_child(int64_t process, struct arena *arena);
static size_t read_words(int64_t process, struct arena *arena,
                         char **ret_words);
static bool is_ours(const char *path);
static enum exit_code ask(const struct config *config, struct arena *arena);
static void fetch_url(const char *url, struct question *question);
static void on_done(struct fetch *fetch);

static enum exit_code run(const struct options *options)
{
    struct arena *arena = arena_new();
    struct serving serving;
    struct config *config;
    enum exit_code code = EXIT_FAILED;

    if (!find_serving(options, arena, &serving)) {
        arena_free(arena);
        return EXIT_FAILED;
    }
    if ((serving.roles & ROLE_WEB) == 0) {
        puts("It only delivers, and does not listen.");
        code = EXIT_DONE;
    } else if ((config = options_load_config(&serving.options)) != NULL) {
        code = ask(config, arena);
        config_free(config);
    }
    arena_free(arena);
    return code;
}

/* Where no server of ours is found our own settings have to do. */
static bool find_serving(const struct options *options, struct arena *arena,
                         struct serving *ret_serving)
{
    char **words = arena_alloc(arena, (MOST_WORDS + 1) * sizeof *words);
    struct options theirs;
    const struct command *command;
    int64_t process;
    size_t count;

    *ret_serving = (struct serving){.options = *options, .roles = ROLE_WEB};
    if (!options_get_number(options, "process", 1, 0, &process))
        return false;
    for (int i = 0; i < MOST_PARENTS && process != 0; i++) {
        count = read_words(process, arena, words);
        command = find_command(words, &count);
        if (command != NULL)
            return options_parse(command, (int)count, words, &theirs) ==
                       OPTIONS_OK &&
                   serving_begin(command, &theirs, ret_serving);
        process = first_child(process, arena);
    }
    return true;
}

/*
 * The command among these words that serves, or NULL. The words become those
 * from its name on.
 */
static const struct command *find_command(char **words, size_t *count)
{
    const struct command *command;

    for (size_t i = 0; i + 1 < *count; i++) {
        command = is_ours(words[i]) ? serving_command(words[i + 1]) : NULL;
        if (command == NULL)
            continue;
        *count -= i + 1;
        memmove(words, words + i + 1, (*count + 1) * sizeof *words);
        return command;
    }
    return NULL;
}

/* 0 when it has none. */
static int64_t first_child(int64_t process, struct arena *arena)
{
    const long long number = process;
    FILE *file = fopen(
        arena_printf(arena, "/proc/%lld/task/%lld/children", number, number),
        "re");
    long long child = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%lld", &child) != 1)
        child = 0;
    fclose(file);
    return child;
}

/* MOST_WORDS at most; how many they are. Behind them is a NULL. */
static size_t read_words(int64_t process, struct arena *arena, char **ret_words)
{
    char *bytes = arena_zalloc(arena, MOST_BYTES + 1);
    FILE *file = fopen(
        arena_printf(arena, "/proc/%lld/cmdline", (long long)process), "re");
    size_t size;
    size_t count = 0;

    if (file == NULL)
        return 0;
    size = fread(bytes, 1, MOST_BYTES, file);
    fclose(file);
    for (size_t at = 0; at < size && count < MOST_WORDS;
         at += strlen(bytes + at) + 1)
        ret_words[count++] = bytes + at;
    ret_words[count] = NULL;
    return count;
}

static bool is_ours(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash == NULL ? path : slash + 1, "xqueue") == 0;
}

static enum exit_code ask(const struct config *config, struct arena *arena)
{
    const char *url =
        arena_printf(arena, "http://%s/xqueue/status/", config->listen);
    struct question question = {.loop = NULL};
    bool is_well;

    fetch_url(url, &question);
    is_well = question.fetch.status == FETCH_DONE &&
              question.fetch.http_status == 200;
    if (is_well)
        printf("%s is well.\n", url);
    else if (question.fetch.status == FETCH_DONE)
        printf("%s answers %ld.\n", url, question.fetch.http_status);
    else
        printf("%s does not answer: %s\n", url, question.fetch.reason);
    buffer_free(&question.fetch.reply);
    free(question.fetch.reply_type);
    return is_well ? EXIT_DONE : EXIT_FAILED;
}

static void fetch_url(const char *url, struct question *question)
{
    const struct fetcher_settings settings = {
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };
    struct fetcher *fetcher;

    question->fetch = (struct fetch){
        .url = url,
        .method = "GET",
        .policy = {.may_ask_metadata = true}, /* 0.0.0.0, too */
        .total_timeout_ms = PATIENCE_MS,
        .fresh_connection = true,
        .max_reply_bytes = REPLY_BYTES,
        .done = on_done,
    };
    fetch_library_start();
    question->loop = loop_new();
    fetcher = fetcher_new(loop_base(question->loop), &settings);
    fetcher_start(fetcher, &question->fetch);
    loop_run(question->loop);
    fetcher_free(fetcher);
    loop_free(question->loop);
    fetch_library_stop();
}

static void on_done(struct fetch *fetch)
{
    struct question *question = CONTAINER_OF(fetch, struct question, fetch);

    loop_stop(question->loop);
}

const struct command command_health = {
    .name = "health",
    .arguments = "[--process NUMBER]",
    .summary = "Ask a running server whether it is well.",
    .details = "At the address of the settings, or of --process: what that one"
               " was told, as\n\"xqueue serve --listen\" tells it, goes before."
               " Exit code 1 when there is no answer.",
    .options = specs,
    .run = run,
};

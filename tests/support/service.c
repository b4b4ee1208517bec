/*
 * The server under test and its configuration file.
 */
#include "tests/support/service.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"
#include "tests/support/http_client.h"
#include "tests/support/mariadb.h"
#include "tests/support/port.h"
#include "tests/support/program.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_MS = 60000, STOP_MS = 60000, LOG_MS = 30000, MAX_WORDS = 30 };

struct service {
    struct arena *arena;
    const struct db_settings *database;
    const char *queues;
    const char *users;
    const char *more;
    const char *words[MAX_WORDS]; /* xqueue serve ... */
    char config[64];              /* path */
    char media_root[64];          /* path */
    const char *environment[2];
    struct program *program; /* NULL: not running */
    size_t log_position;
    uint16_t port; /* 0 before the first start */
};

static void write_config(const struct service *service);
static void append_database(struct buffer *yaml,
                            const struct db_settings *database);
static void append_tls(struct buffer *yaml, const struct db_settings *database);
static void append_quoted(struct buffer *yaml, const char *key,
                          const char *value);
static void wait_until_it_serves(struct service *service);
static void end(struct service *service);
static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place);

struct service *service_start(const struct service_settings *settings)
{
    struct service *service = service_new(settings);
    struct text output;

    if (service_command(service, &output, "update_users", NULL) != 0)
        ck_abort_msg("update_users failed:\n%.*s", TEXT_ARGUMENTS(output));
    service_serve(service);
    return service;
}

struct service *service_new(const struct service_settings *settings)
{
    struct service *service = xcalloc(1, sizeof *service);
    struct arena *arena = arena_new();
    size_t count = 2;
    int file;

    service->arena = arena;
    service->database =
        settings->database != NULL ? settings->database : mariadb_database();
    service->queues =
        arena_strdup(arena, settings->queues != NULL ? settings->queues
                                                     : "{test-pull: null}");
    service->users = arena_strdup(
        arena, settings->users != NULL ? settings->users : "{lms: password}");
    service->more =
        arena_strdup(arena, settings->more != NULL ? settings->more : "");
    service->words[0] = BINARY_DIR "/xqueue";
    service->words[1] = "serve";
    for (size_t i = 0; settings->options != NULL && settings->options[i]; i++) {
        ck_assert_uint_lt(count, MAX_WORDS - 1);
        service->words[count++] = arena_strdup(arena, settings->options[i]);
    }

    snprintf(service->config, sizeof service->config, "%s",
             "/tmp/xqueue-test-config-XXXXXX");
    file = mkstemp(service->config);
    if (file == -1)
        fatal("%s: %s", service->config, strerror(errno));
    close(file);
    snprintf(service->media_root, sizeof service->media_root, "%s",
             "/tmp/xqueue-test-media-XXXXXX");
    if (mkdtemp(service->media_root) == NULL)
        fatal("%s: %s", service->media_root, strerror(errno));
    service->environment[0] =
        arena_printf(arena, "XQUEUE_CFG=%s", service->config);
    write_config(service);
    return service;
}

void service_serve(struct service *service)
{
    write_config(service);
    service->program = program_start(service->words, service->environment);
    service->log_position = 0;
    wait_until_it_serves(service);
}

void service_stop(struct service *service)
{
    service_shut_down(service);
    unlink(service->config);
    nftw(service->media_root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(service->arena);
    free(service);
}

void service_shut_down(struct service *service)
{
    int exit_code;

    if (service->program == NULL)
        return;
    program_signal(service->program, SIGTERM);
    exit_code = program_wait_for_exit(service->program, STOP_MS);
    if (exit_code != 0) {
        struct text log = service_log(service);

        /* Printed, because a story's after_all cannot report anything. */
        fprintf(stderr, "--- log of the server\n%.*s--- end of log\n",
                TEXT_ARGUMENTS(log));
        ck_abort_msg("the server ended with %d", exit_code);
    }
    end(service);
}

void service_kill(struct service *service)
{
    program_signal(service->program, SIGKILL);
    (void)program_wait_for_exit(service->program, STOP_MS);
    end(service);
}

void service_set_more(struct service *service, const char *more)
{
    service->more = arena_strdup(service->arena, more);
    write_config(service);
}

void service_set_queues(struct service *service, const char *queues)
{
    service->queues = arena_strdup(service->arena, queues);
    write_config(service);
}

void service_signal(struct service *service, int signal_number,
                    const char *words)
{
    service->log_position = service_log(service).size;
    program_signal(service->program, signal_number);
    (void)service_wait_for_log(service, words);
}

uint16_t service_port(const struct service *service)
{
    return service->port;
}

pid_t service_pid(const struct service *service)
{
    return program_pid(service->program);
}

const char *service_config(const struct service *service)
{
    return service->config;
}

const char *service_media_root(const struct service *service)
{
    return service->media_root;
}

struct text service_log(struct service *service)
{
    return program_output(service->program, service->arena);
}

struct text service_wait_for_log(struct service *service, const char *words)
{
    return program_wait_for_line(service->program, service->arena, words,
                                 &service->log_position, LOG_MS);
}

int service_command(struct service *service, struct text *ret_output, ...)
{
    const char *words[MAX_WORDS] = {BINARY_DIR "/xqueue"};
    struct program *program;
    size_t count = 1;
    int exit_code;
    va_list list;

    va_start(list, ret_output);
    while ((words[count] = va_arg(list, const char *)) != NULL) {
        count++;
        ck_assert_uint_lt(count, MAX_WORDS);
    }
    va_end(list);
    program = program_start(words, service->environment);
    exit_code = program_wait_for_exit(program, START_MS);
    if (ret_output != NULL)
        *ret_output = program_output(program, service->arena);
    program_free(program);
    return exit_code;
}

static void write_config(const struct service *service)
{
    struct buffer yaml = {0};
    FILE *file = fopen(service->config, "w");

    if (file == NULL)
        fatal("%s: %s", service->config, strerror(errno));
    buffer_printf(&yaml, "XQUEUES: %s\nUSERS: %s\nLISTEN: 127.0.0.1:%u\n",
                  service->queues, service->users, (unsigned)service->port);
    if (strstr(service->more, "CALLBACK_DELAY:") == NULL)
        buffer_append_string(&yaml, "CALLBACK_DELAY: 0\n");
    if (strstr(service->more, "MEDIA_ROOT:") == NULL)
        buffer_printf(&yaml, "MEDIA_ROOT: %s\n", service->media_root);
    append_database(&yaml, service->database);
    buffer_printf(&yaml, "%s\n", service->more);
    fwrite(yaml.data, 1, yaml.size, file);
    buffer_free(&yaml);
    if (fclose(file) != 0)
        fatal("%s: %s", service->config, strerror(errno));
}

static void append_database(struct buffer *yaml,
                            const struct db_settings *database)
{
    buffer_append_string(yaml, "DATABASES:\n    default:\n");
    append_quoted(yaml, "NAME", database->name);
    append_quoted(yaml, "USER", database->user);
    append_quoted(yaml, "PASSWORD",
                  database->password != NULL ? database->password : "");
    if (database->unix_socket != NULL) {
        append_quoted(yaml, "HOST", database->unix_socket);
        return;
    }
    append_quoted(yaml, "HOST", database->host);
    buffer_printf(yaml, "        PORT: %u\n", database->port);
    if (database->tls != DB_TLS_OFF)
        append_tls(yaml, database);
}

/* As Django's users write it; these names need no quotes. */
static void append_tls(struct buffer *yaml, const struct db_settings *database)
{
    const char *const files[][2] = {{"ca", database->tls_ca},
                                    {"cert", database->tls_cert},
                                    {"key", database->tls_key}};

    buffer_append_string(yaml, "        OPTIONS:\n");
    if (database->tls == DB_TLS_VERIFY)
        buffer_append_string(yaml, "            ssl_mode: VERIFY_IDENTITY\n");
    buffer_append_string(yaml, "            ssl: {");
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        if (files[i][1] != NULL)
            buffer_printf(yaml, "%s: %s, ", files[i][0], files[i][1]);
    }
    buffer_append_string(yaml, "}\n");
}

/* In single quotes, as YAML wants them. */
static void append_quoted(struct buffer *yaml, const char *key,
                          const char *value)
{
    buffer_printf(yaml, "        %s: '", key);
    for (; *value != '\0'; value++)
        buffer_append_string(yaml,
                             *value == '\'' ? "''" : (char[]){*value, '\0'});
    buffer_append_string(yaml, "'\n");
}

static void wait_until_it_serves(struct service *service)
{
    struct text line = program_wait_for_line(
        service->program, service->arena,
        "listening address=", &service->log_position, START_MS);
    const char *port = strstr(arena_string(service->arena, line), " port=");
    struct http_client *client;
    const struct reply *reply;

    ck_assert_msg(port != NULL, "no port in %.*s", TEXT_ARGUMENTS(line));
    service->port = (uint16_t)strtoul(port + strlen(" port="), NULL, 10);
    client = http_client_new(service->port);
    reply = http_get(client, "/xqueue/status/");
    ck_assert_msg(reply->status == 200, "the status page answers %d: %s",
                  reply->status, reply->problem);
    http_client_free(client);
}

/* Another server may follow, and wants the same port. */
static void end(struct service *service)
{
    program_free(service->program);
    service->program = NULL;
    port_keep(service->port);
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

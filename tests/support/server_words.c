/*
 * The command lines of a database server for a test program. What the two
 * kinds of server call differently stands side by side here.
 */
#include "tests/support/server_words.h"

#include "server/base/compiler.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <unistd.h>

enum { MAX_WORDS = 40 };

struct words {
    const char *list[MAX_WORDS + 1]; /* up to a NULL */
    size_t count;
};

/* What each kind of server calls its own way. */
struct kind {
    const char *installer;
    const char *server;
    const char *const *install;
    const char *const *serve;
    const char *const *by_socket; /* alone, and without certificates */
    const char *const *durable;
    const char *const *fast;
};

static struct kind kind_of_server(void);
static struct words *words_new(struct arena *arena, const char *program);
static void add(struct words *words, const char *word);
static void add_all(struct words *words, const char *const *list);
static void add_folders(struct words *words, struct arena *arena,
                        const struct mariadb_server *server);

const char *server_words_mysqld(void)
{
    const char *program = getenv("XQUEUE_TEST_MYSQLD");

    return program != NULL && program[0] != '\0' ? program : NULL;
}

const char *const *server_words_install(struct arena *arena,
                                        const struct mariadb_server *server)
{
    struct kind kind = kind_of_server();
    struct words *words = words_new(arena, kind.installer);

    add_folders(words, arena, server);
    add_all(words, kind.install);
    return words->list;
}

const char *const *server_words_serve(struct arena *arena,
                                      const struct mariadb_server *server)
{
    struct kind kind = kind_of_server();
    struct words *words = words_new(arena, kind.server);

    add_folders(words, arena, server);
    add(words, arena_printf(arena, "--socket=%s", server->socket));
    add(words, arena_printf(arena, "--pid-file=%s/pid", server->directory));
    add(words, "--skip-name-resolve");
    add(words, "--innodb-buffer-pool-size=32M");
    add(words, "--character-set-server=utf8mb4");
    add(words, "--max-allowed-packet=16M");
    add_all(words, kind.serve);
    add_all(words, server->is_durable ? kind.durable : kind.fast);
    add_all(words, server->network != NULL ? server->network : kind.by_socket);
    if (server->options != NULL)
        add_all(words, server->options); /* of two the last one holds */
    return words->list;
}

static struct kind kind_of_server(void)
{
    static const char *const mariadb_install[] = {
        "--auth-root-authentication-method=normal", "--skip-test-db",
        "--skip-name-resolve", "--force", NULL};
    static const char *const mariadb_serve[] = {"--innodb-log-file-size=16M",
                                                NULL};
    static const char *const mariadb_by_socket[] = {"--skip-networking",
                                                    "--skip-ssl", NULL};
    static const char *const mysql_install[] = {
        "--initialize-insecure", "--secure-file-priv=NULL", NULL};
    static const char *const mysql_serve[] = {
        "--innodb-redo-log-capacity=32M", "--secure-file-priv=NULL",
        "--mysqlx=OFF", "--skip-log-bin", NULL};
    static const char *const mysql_by_socket[] = {"--skip-networking",
                                                  "--tls-version=", NULL};
    static const char *const durable[] = {"--innodb-flush-log-at-trx-commit=1",
                                          NULL};
    static const char *const mariadb_fast[] = {
        "--innodb-flush-log-at-trx-commit=0", NULL};
    static const char *const mysql_fast[] = {
        "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", NULL};
    const char *mysqld = server_words_mysqld();

    if (mysqld != NULL)
        return (struct kind){
            .installer = mysqld,
            .server = mysqld,
            .install = mysql_install,
            .serve = mysql_serve,
            .by_socket = mysql_by_socket,
            .durable = durable,
            .fast = mysql_fast,
        };
    return (struct kind){
        .installer = "mariadb-install-db",
        .server = "mariadbd",
        .install = mariadb_install,
        .serve = mariadb_serve,
        .by_socket = mariadb_by_socket,
        .durable = durable,
        .fast = mariadb_fast,
    };
}

static struct words *words_new(struct arena *arena, const char *program)
{
    struct words *words = arena_zalloc(arena, sizeof *words);

    add(words, program);
    add(words, "--no-defaults");
    if (geteuid() == 0)
        add(words, "--user=root");
    return words;
}

static void add(struct words *words, const char *word)
{
    if (words->count == MAX_WORDS)
        fatal("too many words for a database server");
    words->list[words->count++] = word;
}

static void add_all(struct words *words, const char *const *list)
{
    for (; *list != NULL; list++)
        add(words, *list);
}

/* A server that starts deletes the others' files in a shared folder. */
static void add_folders(struct words *words, struct arena *arena,
                        const struct mariadb_server *server)
{
    add(words, arena_printf(arena, "--datadir=%s/data", server->directory));
    add(words, arena_printf(arena, "--tmpdir=%s/tmp", server->directory));
}

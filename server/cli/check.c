/*
 * xqueue check: is everything there that `serve` needs?
 */
#include "server/cli/command.h"
#include "server/cli/work.h"

#include "db/schema.h"
#include "db/session.h"
#include "db/user.h"
#include "server/base/password.h"
#include "server/http/selftest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { USERS_SHOWN = 1000 };

struct check {
    struct work work;
    bool all_good;
};

static void good(const char *what);
static void bad(struct check *check, const char *what, const char *cure);
static void check_queues(struct check *check);
static void check_authorities(struct check *check, const char *what,
                              const char *path);
static void check_libevent(struct check *check);
static void check_schema(struct check *check);
static void check_durability(struct check *check);
static void check_packet(struct check *check);
static void check_users(struct check *check);
static const struct user *find_user(const struct user_list *list,
                                    const char *name);
static void check_user(struct check *check, const struct config_user *wanted,
                       const struct user *user);
static enum db_status one_number(struct db_conn *db, struct arena *arena,
                                 const char *sql, int64_t *ret_number);

static enum exit_code run(const struct options *options)
{
    struct check check = {.all_good = true};

    if (!work_begin(options, &check.work))
        return EXIT_FAILED;
    good("configuration");
    printf("ok    database: %s\n", db_conn_version(check.work.db));
    check_queues(&check);
    check_libevent(&check);
    check_schema(&check);
    check_durability(&check);
    check_packet(&check);
    check_users(&check);
    work_end(&check.work);
    puts(check.all_good ? "All is well." : "Something has to be put right.");
    return check.all_good ? EXIT_DONE : EXIT_FAILED;
}

static void good(const char *what)
{
    printf("ok    %s\n", what);
}

static void bad(struct check *check, const char *what, const char *cure)
{
    check->all_good = false;
    printf("WRONG %s: %s\n", what, cure);
}

static void check_queues(struct check *check)
{
    const struct config *config = check->work.config;

    if (config->queue_count == 0)
        bad(check, "no queues", "name them under XQUEUES");
    check_authorities(check, "TLS_CA_FILE", config->tls_ca_file);
    for (size_t i = 0; i < config->queue_count; i++) {
        const struct config_queue *queue = &config->queues[i];

        if (!config_texts_equal(queue->tls_ca_file, config->tls_ca_file))
            check_authorities(check,
                              arena_printf(check->work.arena,
                                           "XQUEUES.%s.ca_file", queue->name),
                              queue->tls_ca_file);
    }
}

static void check_authorities(struct check *check, const char *what,
                              const char *path)
{
    if (path != NULL && access(path, R_OK) != 0)
        bad(check, what,
            arena_printf(check->work.arena, "%s cannot be read: %s", path,
                         strerror(errno)));
}

static void check_libevent(struct check *check)
{
    const char *error;

    if (http_selftest(&error))
        good("libevent has its security repairs");
    else
        bad(check, "libevent", error);
}

static void check_schema(struct check *check)
{
    const char *problem = db_conn_error(check->work.db);
    enum db_status status =
        schema_is_current(check->work.db, check->work.arena, &problem);

    if (status == DB_OK)
        good("migrations");
    else
        bad(check, "migrations", problem);
}

/* An acknowledged submission survives a crash only with these. */
static void check_durability(struct check *check)
{
    struct work *work = &check->work;
    int64_t flush;
    int64_t binlog;
    int64_t sync;

    if (one_number(work->db, work->arena,
                   "SELECT @@innodb_flush_log_at_trx_commit",
                   &flush) != DB_OK ||
        one_number(work->db, work->arena, "SELECT @@log_bin", &binlog) !=
            DB_OK ||
        one_number(work->db, work->arena, "SELECT @@sync_binlog", &sync) !=
            DB_OK) {
        bad(check, "durability", db_conn_error(work->db));
        return;
    }
    if (flush != 1)
        bad(check, "durability",
            "innodb_flush_log_at_trx_commit is not 1: a crash of the"
            " database can lose submissions");
    else if (binlog != 0 && sync != 1)
        bad(check, "durability",
            "sync_binlog is not 1: a crash of the database can lose"
            " submissions");
    else
        good("durability");
}

static void check_packet(struct check *check)
{
    int64_t most = check->work.config->submission_max_bytes;
    uint64_t packet = db_conn_max_packet(check->work.db);

    if (packet >= (uint64_t)most + (1 << 20))
        good("max_allowed_packet");
    else
        bad(check, "max_allowed_packet",
            arena_printf(check->work.arena,
                         "it is %" PRIu64 ", too small for submissions of"
                         " SUBMISSION_MAX_BYTES (%lld)",
                         packet, (long long)most));
}

static void check_users(struct check *check)
{
    struct work *work = &check->work;
    struct user_list list = {
        .job = {.op = &user_list_op},
        .arena = work->arena,
        .limit = USERS_SHOWN,
    };

    if (db_run(work->db, &list.job) != DB_OK) {
        bad(check, "users", list.job.error);
        return;
    }
    for (size_t i = 0; i < work->config->user_count; i++) {
        const struct config_user *wanted = &work->config->users[i];

        check_user(check, wanted, find_user(&list, wanted->name));
    }
    if (list.count == 0 && work->config->user_count == 0)
        bad(check, "users",
            "there are none: name some under USERS and run"
            " xqueue update_users");
}

static const struct user *find_user(const struct user_list *list,
                                    const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_equal_string(list->users[i].username, name))
            return &list->users[i];
    }
    return NULL;
}

static void check_user(struct check *check, const struct config_user *wanted,
                       const struct user *user)
{
    const char *what = arena_printf(check->work.arena, "user %s", wanted->name);

    if (user == NULL)
        bad(check, what, "not in the database: run xqueue update_users");
    else if (!user->is_active)
        bad(check, what, "is switched off in the database");
    else if (!password_verify(text_of(wanted->password), user->password, 1))
        bad(check, what,
            "has another password in the database: run xqueue update_users");
    else
        good(what);
}

static enum db_status one_number(struct db_conn *db, struct arena *arena,
                                 const char *sql, int64_t *ret_number)
{
    struct db_rows rows;
    enum db_status status = db_query(db, arena, sql, NULL, 0, &rows);

    if (status == DB_OK)
        *ret_number = db_integer(&rows, 0, 0);
    return status;
}

const struct command command_check = {
    .name = "check",
    .arguments = "",
    .summary = "Check configuration, database, migrations and users.",
    .details = "Prints what is wrong and what to do. Exit code 1 when anything"
               " is.",
    .run = run,
};

/*
 * xqueue check: is everything there that `serve` needs?
 */
#include "server/cli/command.h"
#include "server/cli/file_work.h"
#include "server/cli/work.h"

#include "db/schema.h"
#include "db/session.h"
#include "db/user.h"
#include "server/base/clock.h"
#include "server/base/password.h"
#include "server/http/selftest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
static void check_files(struct check *check);
static bool is_another_users(const struct config *config);
static void store_and_delete(struct check *check, struct file_work *files);
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
    check_files(&check);
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

static void check_files(struct check *check)
{
    const struct config *config = check->work.config;
    struct file_work *files;

    if (config->queue_count == 0)
        return;
    if (is_another_users(config)) {
        bad(check, "files",
            arena_printf(check->work.arena,
                         "%s belongs to another user: run this as the one"
                         " that the server runs as",
                         config->media_root));
        return;
    }
    files = file_work_begin(config);
    if (files == NULL)
        bad(check, "files",
            config->stores_in_s3 ? "see the settings of UPLOAD_BUCKET and AWS_*"
                                 : "see MEDIA_ROOT");
    else
        store_and_delete(check, files);
    file_work_end(files);
}

/* What the superuser stores there the server could not touch. */
static bool is_another_users(const struct config *config)
{
    struct stat facts;

    return !config->stores_in_s3 && geteuid() == 0 &&
           stat(config->media_root, &facts) == 0 && facts.st_uid != 0;
}

/* In the folder of a queue, which will be there anyway. */
static void store_and_delete(struct check *check, struct file_work *files)
{
    struct storage_upload upload = {
        .name = text_of("xqueue check"),
        .content = text_of("to be deleted at once"),
    };
    struct storage_put put = {
        .queue_name = text_of(check->work.config->queues[0].name),
        .header = text_of(arena_printf(check->work.arena, "%d %" PRId64,
                                       (int)getpid(), clock_wall_us())),
        .uploads = &upload,
        .count = 1,
    };
    struct storage_file file = {.queue_name = put.queue_name};
    struct storage_delete deletion = {.files = &file, .count = 1};

    file_work_put(files, &put);
    if (put.status != STORAGE_OK) {
        bad(check, "files cannot be stored",
            arena_strdup(check->work.arena, put.reason));
        return;
    }
    memcpy(file.key, upload.key, sizeof file.key);
    file_work_delete(files, &deletion);
    if (deletion.status != STORAGE_OK)
        bad(check, "files cannot be deleted",
            arena_strdup(check->work.arena, deletion.reason));
    else
        good("files");
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
    .summary = "Check configuration, database, migrations, files and users.",
    .details = "Prints what is wrong and what to do. Exit code 1 when anything"
               " is.",
    .run = run,
};

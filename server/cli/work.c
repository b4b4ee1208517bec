/*
 * What the commands that work on the database have in common.
 */
#include "server/cli/work.h"

#include "db/schema.h"
#include "server/cli/adoption.h"
#include "server/task/database.h"

#include <stdio.h>
#include <string.h>

/* Altering or searching a large table takes its time. */
enum { PATIENCE_S = 3600 };

bool work_begin(const struct options *options, struct work *ret_work)
{
    struct work work = {.config = options_load_config(options)};
    enum db_status status;

    if (work.config == NULL)
        return false;
    db_library_start();
    db_thread_start();
    *ret_work = work;
    ret_work->arena = arena_new();
    ret_work->database = database_settings(work.config);
    ret_work->database.timeout_s = PATIENCE_S;
    ret_work->db = db_conn_new(&ret_work->database);
    status = db_conn_open(ret_work->db);
    if (status == DB_OK)
        return true;
    work_failed(ret_work, "connecting to the database", status);
    work_end(ret_work);
    return false;
}

bool work_begin_migrated(const struct options *options, struct work *ret_work)
{
    const char *problem;
    enum db_status status;

    if (!work_begin(options, ret_work))
        return false;
    status = schema_is_current(ret_work->db, ret_work->arena, &problem);
    if (status == DB_OK)
        return true;
    if (status == DB_MISMATCH)
        fprintf(stderr, "xqueue: %s\n", problem);
    else
        work_failed(ret_work, "looking at the schema", status);
    work_end(ret_work);
    return false;
}

void work_end(struct work *work)
{
    db_conn_free(work->db);
    arena_free(work->arena);
    config_free(work->config);
    db_thread_stop();
    db_library_stop();
}

enum exit_code work_failed(const struct work *work, const char *what,
                           enum db_status status)
{
    const char *error = db_conn_error(work->db);

    fprintf(stderr, "xqueue: %s failed: %s\n", what,
            error[0] == '\0' ? db_status_name(status) : error);
    return EXIT_FAILED;
}

bool work_adopt(struct work *work)
{
    enum db_status status = adoption_run(work->db, work->config);

    if (status != DB_OK)
        work_failed(work, "adopting submissions", status);
    return status == DB_OK;
}

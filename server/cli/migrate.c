/*
 * xqueue migrate
 */
#include "server/cli/command.h"
#include "server/cli/work.h"

#include "db/adopt.h"
#include "db/schema.h"

#include <stdio.h>

static const struct option_spec specs[] = {
    {"list", 'l', NULL, "show which migrations are applied"},
    {"dry-run", 0, NULL, "show what would run"},
    {"hand-back", 0, NULL,
     "make the tables ready for the Django server (stop xqueue first)"},
    /* Of Django's migrate. */
    {"plan", 0, NULL, NULL},
    {"noinput", 0, NULL, NULL},
    {"no-input", 0, NULL, NULL},
    {"fake-initial", 0, NULL, NULL},
    {"run-syncdb", 0, NULL, NULL},
    {"database", 0, "NAME", NULL},
    {NULL, 0, NULL, NULL},
};

static enum exit_code list(struct work *work);
static enum exit_code migrate(struct work *work, bool dry_run);
static enum exit_code hand_back(struct work *work);
static void tell(enum schema_event event, const char *name, void *context);

static enum exit_code run(const struct options *options)
{
    struct work work;
    enum exit_code code;

    if (!work_begin(options, &work))
        return EXIT_FAILED;
    if (options_get(options, "list") != NULL)
        code = list(&work);
    else if (options_get(options, "hand-back") != NULL)
        code = hand_back(&work);
    else
        code = migrate(&work, options_get(options, "dry-run") != NULL ||
                                  options_get(options, "plan") != NULL);
    work_end(&work);
    return code;
}

static enum exit_code list(struct work *work)
{
    struct schema_list migrations;
    enum db_status status = schema_status(work->db, work->arena, &migrations);

    if (status != DB_OK)
        return work_failed(work, "reading the ledger", status);
    for (size_t i = 0; i < migrations.count; i++)
        printf("[%c] %s\n", migrations.steps[i].is_applied ? 'X' : ' ',
               migrations.steps[i].name);
    return EXIT_DONE;
}

static enum exit_code migrate(struct work *work, bool dry_run)
{
    enum db_status status = schema_migrate(
        work->db, dry_run ? SCHEMA_DRY_RUN : SCHEMA_APPLY, tell, NULL);

    if (status != DB_OK)
        return work_failed(work, "migrating", status);
    if (dry_run)
        return EXIT_DONE;
    puts("The tables are current.");
    return work_adopt(work) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code hand_back(struct work *work)
{
    int64_t leases;
    enum db_status status;

    puts("putting back the indexes of the Django server ...");
    fflush(stdout);
    status = schema_hand_back(work->db);
    if (status == DB_OK)
        status = adopt_hand_back(work->db, &leases);
    if (status != DB_OK)
        return work_failed(work, "handing back", status);
    printf("%lld leases written back: the Django server can take over.\n",
           (long long)leases);
    return EXIT_DONE;
}

static void tell(enum schema_event event, const char *name, void *context)
{
    (void)context;
    switch (event) {
    case SCHEMA_WAITING:
        puts("Another process is migrating; waiting for it ...");
        break;
    case SCHEMA_PENDING:
        printf("would apply %s\n", name);
        break;
    case SCHEMA_RUNNING:
        printf("applying %s ...\n", name);
        break;
    case SCHEMA_STATEMENT:
        break;
    case SCHEMA_APPLIED:
        printf("applied %s\n", name);
        break;
    }
    fflush(stdout);
}

const struct command command_migrate = {
    .name = "migrate",
    .arguments = "[--list | --dry-run | --hand-back]",
    .summary = "Bring the database's tables up to date.",
    .details = "Works on an empty database and on one of the Django XQueue,"
               " whose rows,\nusers and open submissions stay. May be run"
               " again, and by several at once.",
    .options = specs,
    .run = run,
};

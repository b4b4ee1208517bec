/*
 * xqueue update_users
 */
#include "server/cli/command.h"
#include "server/cli/work.h"

#include "server/session/update_users.h"

#include <stdio.h>

static void tell(void *context, const struct config_user *user,
                 enum user_outcome outcome);

static enum exit_code run(const struct options *options)
{
    struct update_users update = {.progress = tell};
    struct work work;
    enum db_status status;
    bool all;

    if (!work_begin_migrated(options, &work))
        return EXIT_FAILED;
    update.users = work.config->users;
    update.count = work.config->user_count;
    if (update.count == 0)
        fputs("xqueue: the configuration has no USERS\n", stderr);
    status = update_users(work.db, &update);
    if (status != DB_OK)
        work_failed(&work, "updating the users", status);
    all = status == DB_OK && update.outcomes[USER_CLASHES] == 0 &&
          update.outcomes[USER_REFUSED] == 0;
    work_end(&work);
    return all ? EXIT_DONE : EXIT_FAILED;
}

static void tell(void *context, const struct config_user *user,
                 enum user_outcome outcome)
{
    static const char *const words[] = {
        [USER_CREATED] = "created",
        [USER_CHANGED] = "password changed, sessions ended",
        [USER_UNCHANGED] = "unchanged",
        [USER_CLASHES] =
            "NOT stored: the name is another user's to the database",
        [USER_REFUSED] = "NOT stored: the name or the password is too long",
        [USER_OUTCOMES] = "",
    };

    (void)context;
    printf("user %s: %s\n", user->name, words[outcome]);
}

const struct command command_update_users = {
    .name = "update_users",
    .arguments = "",
    .summary = "Create the users of USERS, or give them their passwords.",
    .details = "Users that USERS does not name stay as they are.",
    .run = run,
};

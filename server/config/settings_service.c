/*
 * Settings: what is served, where, and from which database.
 */
#include "server/config/settings.h"

#include "server/config/checks.h"

#include <stddef.h>

#define AT(member) offsetof(struct config, member)

static const struct setting table[] = {
    {
        .name = "XQUEUES",
        .type = SETTING_QUEUES,
        .offset = AT(queues),
        .help =
            "The queues: each name with null (graders pull from it), the "
            "address of the grader that it is pushed to, or a map of what is "
            "special about it: `url`, `concurrency` (pushes at the same time, "
            "1), `timeout`, `keep_alive`, `processing_delay`, `max_attempts`, "
            "`basic_auth`, `verify_tls`, `ca_file`. What it leaves out is as "
            "GRADING_TIMEOUT, SUBMISSION_PROCESSING_DELAY, MAX_ATTEMPTS, "
            "REQUESTS_BASIC_AUTH, VERIFY_TLS and TLS_CA_FILE say.",
        .reloads = true,
    },
    {
        .name = "USERS",
        .type = SETTING_USERS,
        .offset = AT(users),
        .secret = true,
        .help = "The users that `update_users` writes to the database: each "
                "name with its password.",
        .reloads = true,
    },
    {
        .name = "DATABASES",
        .type = SETTING_DATABASES,
        .offset = AT(database),
        .help = "As in Django: `default` with HOST, PORT, NAME, USER, PASSWORD "
                "and OPTIONS (unix_socket, ssl, ssl_mode).",
    },
    {
        .name = "DB_HOST",
        .type = SETTING_TEXT,
        .offset = AT(database.host),
        .fallback = "127.0.0.1",
        .help = "The database's host; one that starts with / is a socket.",
        .in_database = true,
    },
    {
        .name = "DB_PORT",
        .type = SETTING_INTEGER,
        .offset = AT(database.port),
        .fallback = "3306",
        .min = 1,
        .max = 65535,
        .help = "The database's port.",
        .in_database = true,
    },
    {
        .name = "DB_SOCKET",
        .type = SETTING_TEXT,
        .offset = AT(database.unix_socket),
        .help = "The database's socket on this machine, instead of a host.",
        .in_database = true,
    },
    {
        .name = "DB_NAME",
        .type = SETTING_TEXT,
        .offset = AT(database.name),
        .fallback = "xqueue",
        .help = "The database's name.",
        .in_database = true,
    },
    {
        .name = "DB_USER",
        .type = SETTING_TEXT,
        .offset = AT(database.user),
        .fallback = "xqueue001",
        .help = "The user at the database.",
        .in_database = true,
    },
    {
        .name = "DB_PASSWORD",
        .type = SETTING_TEXT,
        .offset = AT(database.password),
        .secret = true,
        .help = "That user's password.",
        .in_database = true,
    },
    {
        .name = "LISTEN",
        .type = SETTING_TEXT,
        .offset = AT(listen),
        .fallback = "127.0.0.1:18040",
        .is_good = check_listen,
        .expected = "an address and a port such as 127.0.0.1:18040 or "
                    "[::1]:18040",
        .help = "Where the server listens; port 0 lets the system choose.",
    },
};

const struct setting_section settings_service = {
    table,
    ARRAY_LENGTH(table),
};

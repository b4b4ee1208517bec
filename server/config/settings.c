/*
 * The one table of all settings.
 */
#include "server/config/settings.h"

#include "server/config/checks.h"

#include <stddef.h>

#define AT(member) offsetof(struct config, member)

#define KB 1024.0
#define MB (1024.0 * KB)
#define GB (1024.0 * MB)

static const struct setting_choice log_levels[] = {
    {"DEBUG", LOG_DEBUG}, {"INFO", LOG_INFO},      {"WARNING", LOG_WARNING},
    {"ERROR", LOG_ERROR}, {"CRITICAL", LOG_ERROR}, {NULL, 0},
};

static const struct setting_choice log_formats[] = {
    {"logfmt", LOG_LOGFMT},
    {"json", LOG_JSON},
    {NULL, 0},
};

static const struct setting_choice same_sites[] = {
    {"Lax", 0},
    {"Strict", 0},
    {"None", 0},
    {NULL, 0},
};

static const struct setting table[] = {
    /* What the service serves. */
    {
        .name = "XQUEUES",
        .type = SETTING_QUEUES,
        .offset = AT(queues),
        .help = "The queues: each name with null (graders pull from it) or the "
                "address of the grader that it is pushed to.",
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

    /* Graders and the LMS. */
    {
        .name = "REQUESTS_BASIC_AUTH",
        .type = SETTING_BASIC_AUTH,
        .offset = AT(basic_auth_user),
        .secret = true,
        .help = "User and password for requests to graders and to the LMS.",
        .reloads = true,
    },
    {
        .name = "REQUESTS_TIMEOUT",
        .type = SETTING_NUMBER,
        .offset = AT(requests_timeout_s),
        .fallback = "5",
        .min = 0,
        .max = 600,
        .above_min = true,
        .unit = "seconds",
        .help = "How long the LMS may take to accept a grade.",
        .reloads = true,
    },
    {
        .name = "GRADING_TIMEOUT",
        .type = SETTING_NUMBER,
        .offset = AT(grading_timeout_s),
        .fallback = "30",
        .min = 0,
        .max = 3600,
        .above_min = true,
        .unit = "seconds",
        .help = "How long a grader that is pushed to may take to answer.",
        .reloads = true,
    },
    {
        .name = "SUBMISSION_PROCESSING_DELAY",
        .type = SETTING_NUMBER,
        .offset = AT(processing_delay_min),
        .fallback = "1",
        .min = 0,
        .max = 100000,
        .above_min = true,
        .unit = "minutes",
        .help = "How long a submission that was pulled is kept for its grader "
                "before another one may have it.",
        .reloads = true,
    },
    {
        .name = "MAX_NUMBER_OF_FAILURES",
        .type = SETTING_INTEGER,
        .offset = AT(max_number_of_failures),
        .fallback = "3",
        .min = 1,
        .max = 1000,
        .help = "How often a grade may fail to reach the LMS before "
                "`retire_failed_submissions` takes it.",
        .reloads = true,
    },
    {
        .name = "MAX_ATTEMPTS",
        .type = SETTING_INTEGER,
        .offset = AT(max_attempts),
        .fallback = "5",
        .min = 1,
        .max = 1000,
        .help = "How often a submission is handed out before it counts as "
                "dead and the LMS gets a failure message.",
        .reloads = true,
    },
    {
        .name = "CONSUMER_DELAY",
        .type = SETTING_NUMBER,
        .offset = AT(consumer_delay_s),
        .fallback = "10",
        .min = 0,
        .max = 86400,
        .unit = "seconds",
        .help = "Accepted and not used.",
        .reloads = true,
    },
    {
        .name = "CALLBACK_DELAY",
        .type = SETTING_NUMBER,
        .offset = AT(callback_delay_s),
        .fallback = "2",
        .min = 0,
        .max = 600,
        .unit = "seconds",
        .help = "How long after its submission a grade leaves at the "
                "earliest.",
        .reloads = true,
    },
    {
        .name = "CALLBACK_RETRY_DAYS",
        .type = SETTING_NUMBER,
        .offset = AT(callback_retry_days),
        .fallback = "3",
        .min = 0,
        .max = 365,
        .above_min = true,
        .unit = "days",
        .help = "How long a grade is sent again while the LMS does not take "
                "it.",
        .reloads = true,
    },
    {
        .name = "CALLBACK_CONCURRENCY",
        .type = SETTING_INTEGER,
        .offset = AT(callback_concurrency),
        .fallback = "16",
        .min = 1,
        .max = 1024,
        .help = "Requests to one host of an LMS at the same time.",
        .reloads = true,
    },
    {
        .name = "CALLBACK_ALLOWED_HOSTS",
        .type = SETTING_LIST,
        .offset = AT(callback_allowed_hosts),
        .help = "The only hosts that grades are sent to; empty allows all.",
        .reloads = true,
    },
    {
        .name = "VERIFY_TLS",
        .type = SETTING_BOOLEAN,
        .offset = AT(verify_tls),
        .fallback = "true",
        .help = "Check the certificates of the LMS and of graders.",
        .reloads = true,
    },
    {
        .name = "TLS_CA_FILE",
        .type = SETTING_TEXT,
        .offset = AT(tls_ca_file),
        .help = "A file of certificate authorities to trust in those checks.",
        .reloads = true,
    },

    /* Sessions. */
    {
        .name = "SESSION_COOKIE_NAME",
        .type = SETTING_TEXT,
        .offset = AT(session_cookie_name),
        .fallback = "sessionid",
        .is_good = check_cookie_name,
        .expected = "a cookie's name: letters, digits, - and _",
        .help = "The name of the session cookie.",
        .reloads = true,
    },
    {
        .name = "SESSION_COOKIE_AGE",
        .type = SETTING_INTEGER,
        .offset = AT(session_cookie_age_s),
        .fallback = "1209600",
        .min = 1,
        .max = 315360000,
        .unit = "seconds",
        .help = "How long a login lasts.",
        .reloads = true,
    },
    {
        .name = "SESSION_COOKIE_SECURE",
        .type = SETTING_BOOLEAN,
        .offset = AT(session_cookie_secure),
        .fallback = "false",
        .help = "Mark the cookie for https only.",
        .reloads = true,
    },
    {
        .name = "SESSION_COOKIE_SAMESITE",
        .type = SETTING_CHOICE_TEXT,
        .offset = AT(session_cookie_samesite),
        .fallback = "Lax",
        .choices = same_sites,
        .help = "The cookie's SameSite attribute; false leaves it out.",
        .reloads = true,
    },

    /* Limits. */
    {
        .name = "REQUEST_MAX_BYTES",
        .type = SETTING_SIZE,
        .offset = AT(request_max_bytes),
        .fallback = "80 MB",
        .min = KB,
        .max = GB,
        .help = "The largest request body.",
    },
    {
        .name = "SUBMISSION_MAX_BYTES",
        .type = SETTING_SIZE,
        .offset = AT(submission_max_bytes),
        .fallback = "20 MB",
        .min = KB,
        .max = GB,
        .help = "The largest submission body in a request.",
    },
    {
        .name = "BODY_MEMORY",
        .type = SETTING_SIZE,
        .offset = AT(body_memory_bytes),
        .fallback = "256 MB",
        .min = KB,
        .max = 1024 * GB,
        .help = "Memory for request bodies of the whole process; when it is "
                "full, further large ones wait.",
    },
    {
        .name = "MAX_CONNECTIONS",
        .type = SETTING_INTEGER,
        .offset = AT(max_connections),
        .fallback = "2000",
        .min = 16,
        .max = 100000,
        .help = "Clients that may be connected at the same time.",
    },
    {
        .name = "DB_CONNECTIONS",
        .type = SETTING_INTEGER,
        .offset = AT(db_connections),
        .fallback = "8",
        .min = 1,
        .max = 64,
        .help = "Connections to the database, each with a thread.",
    },
    {
        .name = "DB_QUEUE",
        .type = SETTING_INTEGER,
        .offset = AT(db_queue),
        .fallback = "1024",
        .min = 16,
        .max = 65536,
        .help = "Operations that may wait for the database; more are "
                "refused.",
    },
    {
        .name = "PASSWORD_THREADS",
        .type = SETTING_INTEGER,
        .offset = AT(password_threads),
        .fallback = "1",
        .min = 1,
        .max = 16,
        .help = "Threads that check passwords.",
    },

    /* Logs. */
    {
        .name = "LOCAL_LOGLEVEL",
        .type = SETTING_CHOICE,
        .offset = AT(log_level),
        .fallback = "INFO",
        .choices = log_levels,
        .help = "The least important events that are logged.",
        .reloads = true,
    },
    {
        .name = "LOG_FORMAT",
        .type = SETTING_CHOICE,
        .offset = AT(log_format),
        .fallback = "logfmt",
        .choices = log_formats,
        .help = "The form of a log line.",
        .reloads = true,
    },
};

const struct setting *settings_table(size_t *ret_count)
{
    *ret_count = ARRAY_LENGTH(table);
    return table;
}

const struct setting *settings_find(struct text name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        if (text_equal_string(name, table[i].name))
            return &table[i];
    }
    return NULL;
}

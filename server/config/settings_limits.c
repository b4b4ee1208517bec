/*
 * Settings: sessions, limits, logs.
 */
#include "server/config/settings.h"

#include "server/config/checks.h"

#include <stddef.h>

#define AT(member) offsetof(struct config, member)

#define KB 1024.0
#define GB (1024.0 * 1024.0 * KB)

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
        .name = "BODY_RATE",
        .type = SETTING_SIZE,
        .offset = AT(body_rate),
        .fallback = "64 MB",
        .min = 1024 * KB,
        .max = 1024 * GB,
        .help = "How much of large request bodies is read in a second, all "
                "together, so that small requests need not wait.",
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

    {
        .name = "STOP_TIMEOUT",
        .type = SETTING_NUMBER,
        .offset = AT(stop_timeout_s),
        .fallback = "7",
        .min = 0,
        .max = 300,
        .unit = "seconds",
        .help = "How long what is under way may take to end after SIGTERM; "
                "then it is given back.",
        .reloads = true,
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

const struct setting_section settings_limits = {
    table,
    ARRAY_LENGTH(table),
};

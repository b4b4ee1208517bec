/*
 * Settings: graders and the LMS.
 */
#include "server/config/settings.h"

#include <stddef.h>

#define AT(member) offsetof(struct config, member)

#define KB 1024.0
#define MB (1024.0 * KB)

static const struct setting table[] = {
    {
        .name = "REQUESTS_BASIC_AUTH",
        .type = SETTING_BASIC_AUTH,
        .offset = AT(basic_auth_user),
        .password_offset = AT(basic_auth_password),
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
        .help = "How long a grader that is pushed to may be silent before it "
                "counts as dead; its whole answer may take twice that.",
        .reloads = true,
    },
    {
        .name = "GRADER_REPLY_LIMIT",
        .type = SETTING_SIZE,
        .offset = AT(grader_reply_bytes),
        .fallback = "5 MB",
        .min = KB,
        .max = 100 * MB,
        .help = "The largest answer of a grader that is pushed to.",
        .reloads = true,
    },
    {
        .name = "PUSH_RETRY_SECONDS",
        .type = SETTING_NUMBER,
        .offset = AT(push_retry_s),
        .fallback = "60",
        .min = 0,
        .max = 3600,
        .unit = "seconds",
        .help = "How long a submission is pushed again while its grader "
                "cannot be reached.",
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
};

const struct setting_section settings_delivery = {
    table,
    ARRAY_LENGTH(table),
};

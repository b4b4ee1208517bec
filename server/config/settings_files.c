/*
 * Settings: uploaded files.
 */
#include "server/config/settings.h"

#include "server/config/checks.h"

#include <stddef.h>

#define AT(member) offsetof(struct config, member)

#define KB 1024.0
#define GB (1024.0 * 1024.0 * KB)

static const struct setting_choice addressing_styles[] = {
    {"auto", 0},
    {"virtual", 0},
    {"path", 0},
    {NULL, 0},
};

static const struct setting table[] = {
    {
        .name = "DEFAULT_FILE_STORAGE",
        .type = SETTING_TEXT,
        .offset = AT(file_storage),
        .fallback = "django.core.files.storage.FileSystemStorage",
        .help = "Where files are kept: a class of Django whose name begins "
                "with S3, such as storages.backends.s3boto3.S3Boto3Storage, "
                "means an S3 bucket, any other one MEDIA_ROOT. In the file "
                "STORAGES may say it, too.",
    },
    {
        .name = "MEDIA_ROOT",
        .type = SETTING_TEXT,
        .offset = AT(media_root),
        .fallback = "/var/lib/xqueue/media",
        .help = "The folder for uploaded files.",
    },
    {
        .name = "MEDIA_URL",
        .type = SETTING_TEXT,
        .offset = AT(media_url),
        .fallback = "/media/",
        .is_good = check_media_url,
        .expected = "a path such as /media/",
        .help = "The path below which the server hands out the files of "
                "MEDIA_ROOT.",
    },
    {
        .name = "MEDIA_UNSIGNED",
        .type = SETTING_BOOLEAN,
        .offset = AT(media_unsigned),
        .fallback = "false",
        .help = "Hand the files of MEDIA_ROOT out to whoever knows their "
                "names, as the Django server does; else a link is signed and "
                "expires.",
    },
    {
        .name = "PUBLIC_URL",
        .type = SETTING_TEXT,
        .offset = AT(public_url),
        .is_good = check_base_url,
        .expected = "an http:// or https:// address without a query",
        .help = "How graders reach this server: what links to files begin "
                "with. Without it a grader that pulls gets the name that it "
                "has called, and one that is pushed to the address of "
                "LISTEN.",
    },
    {
        .name = "SECRET_KEY",
        .type = SETTING_TEXT,
        .offset = AT(secret_key),
        .secret = true,
        .help = "What links to files are signed with; without it a secret "
                "that is kept in the database.",
    },
    {
        .name = "UPLOAD_MAX_FILES",
        .type = SETTING_INTEGER,
        .offset = AT(upload_max_files),
        .fallback = "100",
        .min = 0,
        .max = 1000,
        .help = "Files in one submission.",
        .reloads = true,
    },
    {
        .name = "UPLOAD_MAX_BYTES",
        .type = SETTING_SIZE,
        .offset = AT(upload_max_bytes),
        .fallback = "80 MB",
        .min = 0,
        .max = GB,
        .help = "All files of one submission together.",
        .reloads = true,
    },
    {
        .name = "UPLOAD_URL_EXPIRE",
        .type = SETTING_INTEGER,
        .offset = AT(upload_url_expire_s),
        .fallback = "31536000",
        .min = 1,
        .max = 315360000,
        .unit = "seconds",
        .help = "How long a link to a file is good for, from when a grader "
                "gets it; in S3 seven days at most.",
    },
    {
        .name = "UPLOAD_BUCKET",
        .type = SETTING_TEXT,
        .offset = AT(upload_bucket),
        .help = "The S3 bucket for uploaded files.",
    },
    {
        .name = "UPLOAD_PATH_PREFIX",
        .type = SETTING_TEXT,
        .offset = AT(upload_path_prefix),
        .fallback = "xqueue",
        .may_be_empty = true,
        .help = "What the names of files in the bucket begin with.",
    },
    {
        .name = "AWS_ACCESS_KEY_ID",
        .type = SETTING_TEXT,
        .offset = AT(aws_access_key_id),
        .help =
            "Who we are at S3; without it the usual variables of the "
            "environment or a role say: of a web identity, of the container, "
            "or of the machine.",
    },
    {
        .name = "AWS_SECRET_ACCESS_KEY",
        .type = SETTING_TEXT,
        .offset = AT(aws_secret_access_key),
        .secret = true,
        .help = "The secret key to it.",
    },
    {
        .name = "AWS_SESSION_TOKEN",
        .type = SETTING_TEXT,
        .offset = AT(aws_session_token),
        .secret = true,
        .help = "The token that belongs to temporary keys.",
    },
    {
        .name = "AWS_S3_ENDPOINT_URL",
        .type = SETTING_TEXT,
        .offset = AT(aws_s3_endpoint_url),
        .is_good = check_base_url,
        .expected = "an http:// or https:// address without a query",
        .help = "A server that speaks S3, in place of Amazon's.",
    },
    {
        .name = "AWS_S3_REGION_NAME",
        .type = SETTING_TEXT,
        .offset = AT(aws_s3_region_name),
        .help = "The bucket's region.",
    },
    {
        .name = "AWS_S3_ADDRESSING_STYLE",
        .type = SETTING_CHOICE_TEXT,
        .offset = AT(aws_s3_addressing_style),
        .fallback = "auto",
        .choices = addressing_styles,
        .help = "Whether the bucket stands in the host's name (virtual) or "
                "in the path.",
    },
    {
        .name = "AWS_S3_SIGNATURE_VERSION",
        .type = SETTING_TEXT,
        .offset = AT(aws_s3_signature_version),
        .fallback = "s3v4",
        .help = "How requests and links are signed: always with version 4, "
                "whatever is said here.",
    },
};

const struct setting_section settings_files = {
    table,
    ARRAY_LENGTH(table),
};

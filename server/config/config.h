/*
 * The configuration: one YAML file (named by XQUEUE_CFG), then environment
 * variables, then command-line options, over the defaults of one table
 * (server/config/settings.h), from which `xqueue settings` and the README's
 * table are printed too.
 *
 * Every setting but DATABASES can come from the environment: XQUEUE_LISTEN
 * gives LISTEN, XQUEUE_DB_HOST the database's host, XQUEUE_DB_PASSWORD_FILE
 * names a file that holds the password. XQUEUE_XQUEUES and XQUEUE_USERS are
 * maps as in the file, in place of the file's: {"lms": "password"}. An empty
 * variable counts as not set. DB_MIGRATION_HOST, _PORT, _NAME, _USER and _PASS
 * replace the file's database values too, as with the Django server.
 *
 * A config is immutable once loaded and owns its strings. A reload makes a
 * new one.
 */
#ifndef XQUEUE_CONFIG_CONFIG_H
#define XQUEUE_CONFIG_CONFIG_H

#include "server/base/arena.h"
#include "server/base/buffer.h"
#include "server/base/compiler.h"
#include "server/base/log.h"
#include "server/base/text.h"

#include <stdio.h>

/*
 * An entry of XQUEUES. What it does not say itself is that of the setting
 * named beside it.
 */
struct config_queue {
    const char *name;
    const char *grader_url;      /* `url`, no user in it; NULL: is pulled */
    int64_t concurrency;         /* pushes at a time: 1 */
    double timeout_s;            /* of a push: GRADING_TIMEOUT */
    double processing_delay_min; /* SUBMISSION_PROCESSING_DELAY */
    int64_t max_attempts;        /* MAX_ATTEMPTS */
    const char *basic_auth_user; /* REQUESTS_BASIC_AUTH, or else what stands
                                    in `url`; NULL: none */
    const char *basic_auth_password;
    bool verify_tls;         /* VERIFY_TLS */
    const char *tls_ca_file; /* `ca_file`: TLS_CA_FILE */
    bool keep_alive;         /* several pushes on a connection: false */
};

struct config_user {
    const char *name;
    const char *password;
};

enum config_tls {
    CONFIG_TLS_OFF,
    CONFIG_TLS_REQUIRED,
    CONFIG_TLS_VERIFY_CA,
    CONFIG_TLS_VERIFY
};

struct config_database {
    const char *host;
    int64_t port; /* 3306 */
    const char
        *unix_socket; /* OPTIONS.unix_socket, a HOST starting '/'; NULL */
    const char *name;
    const char *user;
    const char *password; /* NULL: none */
    enum config_tls tls;  /* from OPTIONS.ssl / OPTIONS.ssl_mode */
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
};

struct config_list {
    const char **items;
    size_t count;
};

struct config {
    struct arena *arena;         /* owns all of this, the struct itself too */
    struct config_queue *queues; /* in the file's order */
    size_t queue_count;
    struct config_user *users;
    size_t user_count;
    struct config_database database;

    const char *basic_auth_user; /* REQUESTS_BASIC_AUTH; NULL: none */
    const char *basic_auth_password;
    double requests_timeout_s;      /* REQUESTS_TIMEOUT: 5 */
    double grading_timeout_s;       /* GRADING_TIMEOUT: 30 */
    double processing_delay_min;    /* SUBMISSION_PROCESSING_DELAY: 1 */
    int64_t max_number_of_failures; /* MAX_NUMBER_OF_FAILURES: 3 */
    double consumer_delay_s;        /* CONSUMER_DELAY: accepted, unused */
    int64_t max_attempts;           /* MAX_ATTEMPTS: 5 */

    double callback_delay_s;      /* CALLBACK_DELAY: 2 */
    double callback_retry_days;   /* CALLBACK_RETRY_DAYS: 3 */
    int64_t callback_concurrency; /* CALLBACK_CONCURRENCY: 16 a host */
    struct config_list callback_allowed_hosts; /* CALLBACK_ALLOWED_HOSTS */
    bool verify_tls;                           /* VERIFY_TLS: true */
    const char *tls_ca_file;                   /* TLS_CA_FILE: NULL */

    double push_retry_s;        /* PUSH_RETRY_SECONDS: 60 */
    int64_t grader_reply_bytes; /* GRADER_REPLY_LIMIT: 5 MB */
    double stop_timeout_s;      /* STOP_TIMEOUT: 7 */

    const char *file_storage; /* DEFAULT_FILE_STORAGE: a class of Django */
    bool stores_in_s3;        /* which that class means; else in media_root */
    const char *media_root;   /* MEDIA_ROOT: /var/lib/xqueue/media */
    const char *media_url;    /* MEDIA_URL: /media/; a '/' at both ends */
    bool media_unsigned;      /* MEDIA_UNSIGNED: false */
    const char *public_url;   /* PUBLIC_URL: no '/' at its end; NULL */
    const char *secret_key;   /* SECRET_KEY: NULL */
    int64_t upload_max_files; /* UPLOAD_MAX_FILES: 100 */
    int64_t upload_max_bytes; /* UPLOAD_MAX_BYTES: 80 MB */
    int64_t upload_url_expire_s;    /* UPLOAD_URL_EXPIRE: a year */
    const char *upload_bucket;      /* UPLOAD_BUCKET: NULL */
    const char *upload_path_prefix; /* UPLOAD_PATH_PREFIX: xqueue; or "" */
    const char *aws_access_key_id;  /* AWS_ACCESS_KEY_ID: NULL; so the next */
    const char *aws_secret_access_key;    /* AWS_SECRET_ACCESS_KEY */
    const char *aws_session_token;        /* AWS_SESSION_TOKEN */
    const char *aws_s3_endpoint_url;      /* AWS_S3_ENDPOINT_URL */
    const char *aws_s3_region_name;       /* AWS_S3_REGION_NAME */
    const char *aws_s3_addressing_style;  /* AWS_S3_ADDRESSING_STYLE: auto */
    const char *aws_s3_signature_version; /* AWS_S3_SIGNATURE_VERSION: s3v4 */

    bool session_cookie_secure;      /* SESSION_COOKIE_SECURE: false */
    const char *session_cookie_name; /* SESSION_COOKIE_NAME: sessionid */
    const char
        *session_cookie_samesite; /* Lax, Strict, None; NULL: leave out */
    int64_t session_cookie_age_s; /* SESSION_COOKIE_AGE: 1209600 */

    const char *listen;           /* LISTEN: 127.0.0.1:18040 */
    int64_t db_connections;       /* DB_CONNECTIONS: 8 */
    int64_t db_queue;             /* DB_QUEUE: 1024 waiting operations */
    int64_t max_connections;      /* MAX_CONNECTIONS: 2000 */
    int64_t request_max_bytes;    /* REQUEST_MAX_BYTES: 80 MB */
    int64_t submission_max_bytes; /* SUBMISSION_MAX_BYTES: 20 MB */
    int64_t body_memory_bytes;    /* BODY_MEMORY: 256 MB */
    int64_t body_rate;            /* BODY_RATE: 64 MB a second */
    int64_t password_threads;     /* PASSWORD_THREADS: 1 */

    enum log_level log_level;   /* LOCAL_LOGLEVEL: INFO */
    enum log_format log_format; /* LOG_FORMAT: logfmt */
};

/* An option of the command line that overrides a setting. */
struct config_override {
    const char *name; /* as in the table: "LISTEN" */
    const char *value;
};

/* The file that XQUEUE_CFG names, or NULL. Borrows from the environment. */
const char *config_default_path(void);

/*
 * Load from `path` (NULL: no file), the environment, and the overrides.
 * NULL when anything is wrong: *ret_messages then holds one line per error,
 * all of them: "file:line:column: NAME: expected ..., found ...", or
 * "environment: XQUEUE_NAME: ...", or "option: NAME: ...". With success it
 * holds warnings (unknown keys, one line each). The caller frees the buffer.
 * Not while another thread changes the environment.
 */
struct config *config_load(const char *path,
                           const struct config_override *overrides,
                           size_t count, struct buffer *ret_messages);

/* The same from a text, which `name` stands for in the messages. */
struct config *config_load_text(struct text source, const char *name,
                                const struct config_override *overrides,
                                size_t count, struct buffer *ret_messages);

/* NULL is legal. */
void config_free(struct config *config);

/* NULL when there is none. Names are case-sensitive. */
const struct config_queue *config_find_queue(const struct config *config,
                                             struct text name);

/* Byte by byte; NULL equals NULL only. */
bool config_texts_equal(const char *left, const char *right);
bool config_lists_equal(const struct config_list *left,
                        const struct config_list *right);

/*
 * Append the names of the settings that differ between the two and that only
 * a restart applies, joined by ", ".
 */
void config_needs_restart(const struct config *running,
                          const struct config *loaded,
                          struct buffer *ret_names);

/* The table for people (`xqueue settings`), and as Markdown for the README. */
void config_print_help(FILE *out);
void config_print_markdown(FILE *out);

/* Every setting as it stands, secrets masked: `xqueue settings --effective`. */
void config_print(const struct config *config, FILE *out);

#endif

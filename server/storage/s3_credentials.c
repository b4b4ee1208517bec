/*
 * Who we are to S3.
 *
 * The current keys are behind a lock, because links are signed on any thread;
 * all else is the loop thread's. A role's keys are asked for again RENEW_US
 * before they expire; when that fails, every RETRY_MS, and by whoever needs
 * them.
 */
#include "server/storage/s3_credentials.h"

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/storage/s3_role.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RENEW_US = 5 * 60 * 1000000,
    RETRY_MS = 30000,
    SOONEST_MS = 1000, /* after an answer of whatever kind */
    LATEST_MS = 24 * 3600 * 1000
};

struct keys {
    char *access_key; /* owns all; NULL: there are none */
    char *secret_key;
    char *session_token;
    int64_t expires_us; /* INT64_MAX: never */
};

struct s3_credentials {
    pthread_mutex_t lock; /* of the keys */
    struct keys keys;

    struct s3_role *role;      /* owns; NULL: the keys are given */
    struct loop_timer *renew;  /* owns; NULL likewise */
    struct loop_timer *report; /* likewise: to those who wait */
    bool is_asking;
    int64_t failed_ms; /* when it last did */
    char reason[S3_ROLE_REASON_SIZE];
    TAILQ_HEAD(, s3_wish) wishes;
};

static bool find(struct s3_credentials *credentials, struct loop *loop,
                 const struct storage_settings *settings, char **ret_error);
static bool is_pair(const char *access_key, const char *secret_key,
                    const char *names, char **ret_error);
static bool find_role(struct s3_credentials *credentials, struct loop *loop,
                      char **ret_error);
static void set_keys(struct s3_credentials *credentials, const char *access_key,
                     const char *secret_key, const char *session_token,
                     int64_t expires_us);
static void forget(struct keys *keys);
static void ask(void *context);
static void on_answer(void *context, const struct s3_role_answer *answer);
static int64_t renew_after_ms(int64_t expires_us);
static void grant_wishes(void *context);

struct s3_credentials *
s3_credentials_new(struct loop *loop, const struct storage_settings *settings,
                   char **ret_error)
{
    struct s3_credentials *credentials = xcalloc(1, sizeof *credentials);

    pthread_mutex_init(&credentials->lock, NULL);
    TAILQ_INIT(&credentials->wishes);
    if (find(credentials, loop, settings, ret_error))
        return credentials;
    s3_credentials_free(credentials);
    return NULL;
}

bool s3_credentials_copy(struct s3_credentials *credentials,
                         struct arena *arena,
                         struct sigv4_credentials *ret_copy)
{
    const struct keys *keys = &credentials->keys;
    bool is_good;

    pthread_mutex_lock(&credentials->lock);
    is_good = keys->access_key != NULL && keys->expires_us > clock_wall_us();
    if (is_good) {
        ret_copy->access_key = arena_strdup(arena, keys->access_key);
        ret_copy->secret_key = arena_strdup(arena, keys->secret_key);
        ret_copy->session_token =
            keys->session_token == NULL
                ? NULL
                : arena_strdup(arena, keys->session_token);
    }
    pthread_mutex_unlock(&credentials->lock);
    return is_good;
}

void s3_credentials_await(struct s3_credentials *credentials,
                          struct s3_wish *wish)
{
    TAILQ_INSERT_TAIL(&credentials->wishes, wish, entry);
    if (credentials->is_asking)
        return;
    if (clock_monotonic_ms() - credentials->failed_ms < SOONEST_MS)
        loop_timer_set(credentials->report, 0);
    else
        ask(credentials);
}

const char *s3_credentials_reason(const struct s3_credentials *credentials)
{
    return credentials->reason;
}

void s3_credentials_refused(struct s3_credentials *credentials,
                            const char *access_key)
{
    const char *current = credentials->keys.access_key;

    if (credentials->role != NULL && current != NULL &&
        strcmp(current, access_key) == 0)
        set_keys(credentials, NULL, NULL, NULL, 0);
}

void s3_credentials_free(struct s3_credentials *credentials)
{
    if (credentials == NULL)
        return;
    s3_role_free(credentials->role);
    loop_timer_free(credentials->renew);
    loop_timer_free(credentials->report);
    forget(&credentials->keys);
    pthread_mutex_destroy(&credentials->lock);
    free(credentials);
}

/* --- where they are from ----------------------------------------------- */

static bool find(struct s3_credentials *credentials, struct loop *loop,
                 const struct storage_settings *settings, char **ret_error)
{
    const char *access_key = settings->access_key;
    const char *secret_key = settings->secret_key;
    const char *session_token = settings->session_token;

    if (!is_pair(access_key, secret_key, "the settings", ret_error))
        return false;
    if (access_key == NULL) {
        access_key = getenv("AWS_ACCESS_KEY_ID");
        secret_key = getenv("AWS_SECRET_ACCESS_KEY");
        session_token = getenv("AWS_SESSION_TOKEN");
        if (!is_pair(access_key, secret_key, "the environment", ret_error))
            return false;
    }
    if (access_key == NULL || access_key[0] == '\0')
        return find_role(credentials, loop, ret_error);
    if (session_token != NULL && session_token[0] == '\0')
        session_token = NULL;
    set_keys(credentials, access_key, secret_key, session_token, INT64_MAX);
    return true;
}

static bool is_pair(const char *access_key, const char *secret_key,
                    const char *where, char **ret_error)
{
    const bool has_access_key = access_key != NULL && access_key[0] != '\0';
    const bool has_secret_key = secret_key != NULL && secret_key[0] != '\0';

    if (has_access_key == has_secret_key)
        return true;
    *ret_error = xasprintf(
        "%s is not set in %s",
        has_access_key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID", where);
    return false;
}

static bool find_role(struct s3_credentials *credentials, struct loop *loop,
                      char **ret_error)
{
    const struct s3_role_owner owner = {credentials, on_answer};

    credentials->role = s3_role_new(loop, owner);
    if (credentials->role == NULL) {
        *ret_error = xstrdup("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are "
                             "not set, and roles are not to be asked for");
        return false;
    }
    credentials->renew = loop_timer_new(loop, ask, credentials);
    credentials->report = loop_timer_new(loop, grant_wishes, credentials);
    credentials->failed_ms = clock_monotonic_ms() - SOONEST_MS;
    ask(credentials);
    return true;
}

static void set_keys(struct s3_credentials *credentials, const char *access_key,
                     const char *secret_key, const char *session_token,
                     int64_t expires_us)
{
    struct keys old = credentials->keys;
    struct keys new = {.expires_us = expires_us};

    if (access_key != NULL) {
        new.access_key = xstrdup(access_key);
        new.secret_key = xstrdup(secret_key);
    }
    if (session_token != NULL)
        new.session_token = xstrdup(session_token);
    pthread_mutex_lock(&credentials->lock);
    credentials->keys = new;
    pthread_mutex_unlock(&credentials->lock);
    forget(&old);
}

static void forget(struct keys *keys)
{
    char *const words[] = {keys->access_key, keys->secret_key,
                           keys->session_token};

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (words[i] != NULL)
            crypto_wipe(words[i], strlen(words[i]));
        free(words[i]);
    }
}

/* --- those of a role ---------------------------------------------------- */

static void ask(void *context)
{
    struct s3_credentials *credentials = context;

    if (credentials->is_asking)
        return;
    credentials->is_asking = true;
    s3_role_ask(credentials->role);
}

static void on_answer(void *context, const struct s3_role_answer *answer)
{
    struct s3_credentials *credentials = context;
    int64_t wait_ms = RETRY_MS;

    credentials->is_asking = false;
    snprintf(credentials->reason, sizeof credentials->reason, "%s",
             answer->reason);
    if (answer->access_key == NULL) {
        credentials->failed_ms = clock_monotonic_ms();
        log_message(LOG_WARNING, "S3: %s", answer->reason);
    } else {
        set_keys(credentials, answer->access_key, answer->secret_key,
                 answer->session_token, answer->expires_us);
        wait_ms = renew_after_ms(answer->expires_us);
    }
    loop_timer_set(credentials->renew, wait_ms);
    grant_wishes(credentials);
}

static int64_t renew_after_ms(int64_t expires_us)
{
    const int64_t left_us = expires_us - clock_wall_us();
    int64_t wait_ms = (left_us - RENEW_US) / 1000;

    /* The machine may go on telling us the old ones for a while. */
    if (wait_ms <= 0)
        wait_ms = RETRY_MS;
    if (wait_ms < SOONEST_MS)
        return SOONEST_MS;
    return wait_ms < LATEST_MS ? wait_ms : LATEST_MS;
}

/* Those who wish again meanwhile wait for the next answer. */
static void grant_wishes(void *context)
{
    struct s3_credentials *credentials = context;
    TAILQ_HEAD(, s3_wish) granted = TAILQ_HEAD_INITIALIZER(granted);

    TAILQ_CONCAT(&granted, &credentials->wishes, entry);
    while (!TAILQ_EMPTY(&granted)) {
        struct s3_wish *wish = TAILQ_FIRST(&granted);

        TAILQ_REMOVE(&granted, wish, entry);
        wish->granted(wish);
    }
}

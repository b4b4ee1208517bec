/*
 * Asking the machine for the credentials of its role.
 *
 * The container's agent answers at once: ask -> keys. The instance's metadata
 * service wants a token first and has a name for the role: ask -> token ->
 * name -> keys. Every request of one asking has the same deadline.
 */
#include "server/storage/s3_role.h"

#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/read_file.h"
#include "server/fetch/fetch.h"
#include "server/storage/iso_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTAINER_SERVICE "http://169.254.170.2"
#define INSTANCE_SERVICE  "http://169.254.169.254"
#define ROLE_PATH         "/latest/meta-data/iam/security-credentials/"

enum {
    CONNECT_MS = 1000,
    ANSWER_MS = 2500,
    ALL_MS = 5000,
    LONGEST_REPLY = 32 * 1024,
    LONGEST_TOKEN = 16 * 1024
};

typedef void take_reply(struct s3_role *role, struct text reply);

struct s3_role {
    struct s3_role_owner owner;
    struct fetcher *fetcher; /* owns */
    const char *container;   /* the agent's URL; NULL: an instance */
    const char *instance;    /* the service's URL, without a '/' at the end */
    struct arena *forever;   /* owns; the URLs */

    struct arena *arena; /* owns; of this asking */
    struct fetch fetch;
    const char *headers[2];
    const char *token; /* the header with the instance's token */
    int64_t deadline_ms;
    take_reply *take; /* what to do with the reply */
    struct s3_role_answer answer;
};

static bool find_service(struct s3_role *role);
static const char *variable(const char *name);
static void ask_container(struct s3_role *role);
static bool container_header(struct s3_role *role);
static void take_token(struct s3_role *role, struct text reply);
static void take_name(struct s3_role *role, struct text reply);
static void take_keys(struct s3_role *role, struct text reply);
static const char *word_of(struct s3_role *role, const struct json_value *keys,
                           const char *name);
static void request(struct s3_role *role, const char *method, const char *url,
                    const char *header, take_reply *take);
static void on_done(struct fetch *fetch);
static void give_up(struct s3_role *role, const char *why);
static bool is_one_word(struct text text);

struct s3_role *s3_role_new(struct loop *loop, struct s3_role_owner owner)
{
    const struct fetcher_settings settings = {
        .max_connections = 1,
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };
    struct s3_role *role = xcalloc(1, sizeof *role);

    role->owner = owner;
    role->forever = arena_new();
    if (!find_service(role)) {
        arena_free(role->forever);
        free(role);
        return NULL;
    }
    role->fetcher = fetcher_new(loop_base(loop), &settings);
    return role;
}

void s3_role_ask(struct s3_role *role)
{
    arena_free(role->arena);
    role->arena = arena_new();
    role->answer = (struct s3_role_answer){.access_key = NULL};
    role->deadline_ms = clock_monotonic_ms() + ALL_MS;
    if (role->container != NULL)
        ask_container(role);
    else
        request(
            role, "PUT",
            arena_printf(role->arena, "%s/latest/api/token", role->instance),
            "X-aws-ec2-metadata-token-ttl-seconds: 21600", take_token);
}

void s3_role_free(struct s3_role *role)
{
    if (role == NULL)
        return;
    fetcher_free(role->fetcher);
    buffer_free(&role->fetch.reply);
    arena_free(role->arena);
    arena_free(role->forever);
    free(role);
}

static bool find_service(struct s3_role *role)
{
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *instance = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *disabled = variable("AWS_EC2_METADATA_DISABLED");
    struct text url = text_of(instance != NULL ? instance : INSTANCE_SERVICE);

    if (relative != NULL)
        role->container =
            arena_printf(role->forever, CONTAINER_SERVICE "%s", relative);
    else if (full != NULL)
        role->container = arena_strdup(role->forever, full);
    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    role->instance = arena_string(role->forever, url);
    return role->container != NULL || disabled == NULL ||
           strcasecmp(disabled, "true") != 0;
}

/* NULL when it is empty, too. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

/* --- the container's agent -------------------------------------------- */

static void ask_container(struct s3_role *role)
{
    const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    role->token = NULL;
    if (token != NULL)
        role->token = arena_printf(role->arena, "Authorization: %s", token);
    /* Something that is refused stands for what cannot be read. */
    if (!container_header(role))
        role->token = "\n";
    request(role, "GET", role->container, role->token, take_keys);
}

/* The token may be in a file that is written anew now and then. */
static bool container_header(struct s3_role *role)
{
    const char *path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    struct file_content content;
    struct text token;
    const char *why;

    if (path == NULL)
        return true;
    if (!read_file(path, LONGEST_TOKEN, &content, &why)) {
        log_message(LOG_WARNING, "S3: %s: %s", path, why);
        return false;
    }
    token = buffer_text(&content.bytes);
    while (token.size > 0 && strchr("\r\n", token.data[token.size - 1]) != NULL)
        token.size--;
    role->token =
        arena_printf(role->arena, "Authorization: %.*s", TEXT_ARGUMENTS(token));
    buffer_free(&content.bytes);
    return true;
}

/* --- the instance's metadata ------------------------------------------ */

static void take_token(struct s3_role *role, struct text reply)
{
    if (!is_one_word(reply)) {
        give_up(role, "no token");
        return;
    }
    role->token = arena_printf(role->arena, "X-aws-ec2-metadata-token: %.*s",
                               TEXT_ARGUMENTS(reply));
    request(role, "GET",
            arena_printf(role->arena, "%s" ROLE_PATH, role->instance),
            role->token, take_name);
}

/* The first line is the role's name. */
static void take_name(struct s3_role *role, struct text reply)
{
    struct text name = {reply.data, 0};

    while (name.size < reply.size && name.data[name.size] != '\n')
        name.size++;
    if (!is_one_word(name)) {
        give_up(role, "the machine has no role");
        return;
    }
    request(role, "GET",
            arena_printf(role->arena, "%s" ROLE_PATH "%.*s", role->instance,
                         TEXT_ARGUMENTS(name)),
            role->token, take_keys);
}

/* --- both -------------------------------------------------------------- */

static void take_keys(struct s3_role *role, struct text reply)
{
    struct s3_role_answer *answer = &role->answer;
    const struct json_value *keys;
    const char *expiration;
    const char *access_key;

    if (!json_parse_object(role->arena, reply, &keys)) {
        give_up(role, "the answer is no JSON object");
        return;
    }
    access_key = word_of(role, keys, "AccessKeyId");
    expiration = word_of(role, keys, "Expiration");
    answer->secret_key = word_of(role, keys, "SecretAccessKey");
    answer->session_token = word_of(role, keys, "Token");
    if (access_key == NULL || answer->secret_key == NULL ||
        expiration == NULL ||
        !iso_time_parse(text_of(expiration), &answer->expires_us)) {
        give_up(role, "the answer lacks something");
        return;
    }
    answer->access_key = access_key;
    role->owner.answered(role->owner.context, answer);
}

/* NULL when there is none, or not one that can stand in a header. */
static const char *word_of(struct s3_role *role, const struct json_value *keys,
                           const char *name)
{
    const struct json_value *value = json_get(keys, name);
    struct text text = value == NULL ? TEXT_ABSENT : json_text(value);

    return is_one_word(text) ? arena_string(role->arena, text) : NULL;
}

static void request(struct s3_role *role, const char *method, const char *url,
                    const char *header, take_reply *take)
{
    role->take = take;
    role->headers[0] = header;
    buffer_free(&role->fetch.reply);
    role->fetch = (struct fetch){
        .url = url,
        .method = method,
        .headers = role->headers,
        .policy = {.verify_tls = true, .may_ask_metadata = true},
        .connect_timeout_ms = CONNECT_MS,
        .total_timeout_ms = ANSWER_MS,
        .deadline_ms = role->deadline_ms,
        .max_reply_bytes = LONGEST_REPLY,
        .keep_reply = true,
        .done = on_done,
    };
    fetcher_start(role->fetcher, &role->fetch);
}

static void on_done(struct fetch *fetch)
{
    struct s3_role *role = CONTAINER_OF(fetch, struct s3_role, fetch);
    struct text reply = buffer_text(&fetch->reply);

    free(fetch->reply_type);
    fetch->reply_type = NULL;
    if (fetch->status == FETCH_CANCELED)
        return;
    if (fetch->status == FETCH_DONE && fetch->http_status == 200)
        role->take(role, arena_copy(role->arena, reply));
    else
        give_up(role, fetch->reason);
}

static void give_up(struct s3_role *role, const char *why)
{
    snprintf(role->answer.reason, sizeof role->answer.reason,
             "no credentials from the %s: %.80s",
             role->container != NULL ? "container's agent"
                                     : "instance's metadata",
             why);
    role->owner.answered(role->owner.context, &role->answer);
}

/* Printable, without blanks; not empty. */
static bool is_one_word(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return text.size > 0;
}

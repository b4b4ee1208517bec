/*
 * Asking for the credentials of a role. Whom, the environment says: the first
 * of the ways below that finds somebody is the one.
 */
#include "server/storage/s3_role_private.h"

#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/read_file.h"
#include "server/storage/iso_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 1000,
    ANSWER_MS = 2500,
    ALL_MS = 5000, /* requests of one asking */
    LONGEST_REPLY = 32 * 1024,
    LONGEST_TOKEN = 16 * 1024
};

static bool find_way(struct s3_role *role);
static void on_done(struct fetch *fetch);
static struct text member(const struct json_value *keys, const char *name);
static const char *word_of(struct s3_role *role, struct text text);

struct s3_role *s3_role_new(struct loop *loop, struct s3_role_owner owner)
{
    const struct fetcher_settings settings = {
        .max_connections = 1,
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };
    struct s3_role *role = xcalloc(1, sizeof *role);

    role->owner = owner;
    role->forever = arena_new();
    if (!find_way(role)) {
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
    role->token = NULL;
    role->deadline_ms = clock_monotonic_ms() + ALL_MS;
    role->way->ask(role);
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

static bool find_way(struct s3_role *role)
{
    static const struct s3_role_way *const ways[] = {
        &s3_role_web,
        &s3_role_container,
        &s3_role_instance,
    };

    for (size_t i = 0; i < ARRAY_LENGTH(ways) && role->url == NULL; i++) {
        role->way = ways[i];
        role->url = ways[i]->find(role->forever);
    }
    return role->url != NULL;
}

/* --- one request ------------------------------------------------------- */

void s3_role_request(struct s3_role *role,
                     const struct s3_role_request *request)
{
    role->take = request->take;
    role->headers[0] = request->header;
    buffer_free(&role->fetch.reply);
    role->fetch = (struct fetch){
        .url = request->url,
        .method = request->method,
        .headers = role->headers,
        .body = request->form,
        .content_type = text_is_absent(request->form)
                            ? NULL
                            : "application/x-www-form-urlencoded",
        .policy = {.verify_tls = true,
                   .may_ask_metadata = role->way->may_ask_metadata},
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
        s3_role_give_up(role, fetch->reason);
}

/* --- the end ----------------------------------------------------------- */

void s3_role_take_json(struct s3_role *role, struct text reply)
{
    const struct json_value *keys;

    if (!json_parse_object(role->arena, reply, &keys)) {
        s3_role_give_up(role, "the answer is no JSON object");
        return;
    }
    s3_role_answer(role, &(struct s3_role_words){
                             .access_key = member(keys, "AccessKeyId"),
                             .secret_key = member(keys, "SecretAccessKey"),
                             .session_token = member(keys, "Token"),
                             .expiration = member(keys, "Expiration"),
                         });
}

static struct text member(const struct json_value *keys, const char *name)
{
    const struct json_value *value = json_get(keys, name);

    return value == NULL ? TEXT_ABSENT : json_text(value);
}

void s3_role_answer(struct s3_role *role, const struct s3_role_words *words)
{
    struct s3_role_answer *answer = &role->answer;
    const char *access_key = word_of(role, words->access_key);

    answer->secret_key = word_of(role, words->secret_key);
    answer->session_token = word_of(role, words->session_token);
    if (access_key == NULL || answer->secret_key == NULL ||
        text_is_absent(words->expiration) ||
        !iso_time_parse(words->expiration, &answer->expires_us)) {
        s3_role_give_up(role, "the answer lacks something");
        return;
    }
    answer->access_key = access_key;
    role->owner.answered(role->owner.context, answer);
}

/* NULL when there is none, or not one that can stand in a header. */
static const char *word_of(struct s3_role *role, struct text text)
{
    return s3_role_is_word(text) ? arena_string(role->arena, text) : NULL;
}

void s3_role_give_up(struct s3_role *role, const char *why)
{
    snprintf(role->answer.reason, sizeof role->answer.reason,
             "no credentials from %s: %.80s", role->way->whom, why);
    role->owner.answered(role->owner.context, &role->answer);
}

/* --- what the ways need ------------------------------------------------ */

const char *s3_role_variable(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

bool s3_role_read_token(struct s3_role *role, const char *path,
                        struct text *ret_token)
{
    struct file_content content;
    struct text token;
    const char *why;

    if (!read_file(path, LONGEST_TOKEN, &content, &why)) {
        log_message(LOG_WARNING, "S3: %s: %s", path, why);
        return false;
    }
    token = buffer_text(&content.bytes);
    while (token.size > 0 && strchr("\r\n", token.data[token.size - 1]) != NULL)
        token.size--;
    *ret_token = arena_copy(role->arena, token);
    buffer_free(&content.bytes);
    return true;
}

bool s3_role_is_word(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return text.size > 0;
}

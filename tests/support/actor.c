/*
 * The four things that clients of the service do.
 */
#include "tests/support/actor.h"

#include "server/base/json.h"
#include "server/base/memory.h"
#include "tests/support/expect.h"

#include <stdlib.h>
#include <string.h>

struct actor {
    struct http_client *client;
    struct arena *arena;
    uint16_t port;
};

static bool read_lease(struct actor *actor, struct text reply,
                       struct lease *ret_lease);
static bool get_text(const struct json_value *object, const char *name,
                     struct text *ret_text);

struct actor *actor_new(uint16_t port)
{
    struct actor *actor = actor_with_cookie(port, "");

    http_clear_cookies(actor->client);
    expect_reply(http_post_form(actor->client, "/xqueue/login/",
                                HTTP_FORM({"username", "lms", NULL},
                                          {"password", "password", NULL})),
                 0, "\"Logged in\"");
    return actor;
}

struct actor *actor_beside(const struct actor *other)
{
    return actor_with_cookie(other->port,
                             http_cookie(other->client, "sessionid"));
}

struct actor *actor_with_cookie(uint16_t port, const char *cookie)
{
    struct actor *actor = xcalloc(1, sizeof *actor);

    actor->client = http_client_new(port);
    actor->arena = arena_new();
    actor->port = port;
    http_set_cookie(actor->client, "sessionid", cookie);
    return actor;
}

void actor_free(struct actor *actor)
{
    if (actor == NULL)
        return;
    http_client_free(actor->client);
    arena_free(actor->arena);
    free(actor);
}

struct http_client *actor_client(struct actor *actor)
{
    return actor->client;
}

void actor_forget(struct actor *actor)
{
    http_client_forget_replies(actor->client);
    arena_free(actor->arena);
    actor->arena = arena_new();
}

const char *actor_submit(struct actor *actor, const char *url, const char *key,
                         const char *body)
{
    const char *header = actor_header(actor, url, key);
    const struct reply *reply = actor_try_submit(actor, header, body);

    expect_status(reply, 200, NULL);
    ck_assert_msg(text_starts_with(reply->body, "{\"return_code\": 0,"),
                  "submit: %.*s", TEXT_ARGUMENTS(reply->body));
    return header;
}

const struct reply *actor_try_submit(struct actor *actor, const char *header,
                                     const char *body)
{
    return http_post_form(
        actor->client, "/xqueue/submit/",
        HTTP_FORM({"xqueue_header", header, NULL}, {"xqueue_body", body, NULL}));
}

const char *actor_header(struct actor *actor, const char *url, const char *key)
{
    return arena_printf(actor->arena,
                        "{\"lms_callback_url\": \"%s\", \"lms_key\": \"%s\","
                        " \"queue_name\": \"test-pull\"}",
                        url, key);
}

struct lease actor_pull(struct actor *actor)
{
    struct lease lease;

    ck_assert_int_eq(actor_try_pull(actor, &lease), PULL_GOT_ONE);
    return lease;
}

enum pull_outcome actor_try_pull(struct actor *actor, struct lease *ret_lease)
{
    static const char empty[] = "{\"return_code\": 1, \"content\": "
                                "\"Queue 'test-pull' is empty\"}";
    const struct reply *reply = http_get(
        actor->client, "/xqueue/get_submission/?queue_name=test-pull");

    if (reply->status != 200)
        return PULL_FAILED;
    if (text_equal_string(reply->body, empty))
        return PULL_EMPTY;
    return read_lease(actor, reply->body, ret_lease) ? PULL_GOT_ONE
                                                     : PULL_FAILED;
}

void actor_expect_empty(struct actor *actor)
{
    expect_reply(
        http_get(actor->client, "/xqueue/get_submission/?queue_name=test-pull"),
        1, "\"Queue 'test-pull' is empty\"");
}

void actor_put(struct actor *actor, const struct lease *lease,
               const char *result)
{
    expect_reply(actor_try_put(actor, lease->header, result), 0, "\"\"");
}

const struct reply *actor_try_put(struct actor *actor, const char *header,
                                  const char *result)
{
    return http_post_form(actor->client, "/xqueue/put_result/",
                          HTTP_FORM({"xqueue_header", header, NULL},
                                    {"xqueue_body", result, NULL}));
}

/* JSON in JSON in JSON. */
static bool read_lease(struct actor *actor, struct text reply,
                       struct lease *ret_lease)
{
    struct arena *arena = actor->arena;
    const struct json_value *object;
    struct text content;
    struct text header;
    struct text key;

    if (!json_parse_object(arena, reply, &object) ||
        !get_text(object, "content", &content) ||
        !json_parse_object(arena, content, &object) ||
        !get_text(object, "xqueue_body", &ret_lease->body) ||
        !get_text(object, "xqueue_header", &header) ||
        !json_parse_object(arena, header, &object) ||
        !get_text(object, "submission_key", &key) ||
        json_get(object, "submission_id") == NULL ||
        !json_integer(json_get(object, "submission_id"), &ret_lease->id))
        return false;
    ret_lease->header = arena_string(arena, header);
    ret_lease->key = arena_string(arena, key);
    return true;
}

static bool get_text(const struct json_value *object, const char *name,
                     struct text *ret_text)
{
    const struct json_value *value = json_get(object, name);

    if (value == NULL || text_is_absent(json_text(value)))
        return false;
    *ret_text = json_text(value);
    return true;
}

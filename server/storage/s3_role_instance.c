/*
 * Asking the metadata service of a machine, in its second version, which wants
 * a token first and has a name for the role: token -> name -> keys.
 */
#include "server/storage/s3_role_private.h"

#include <strings.h>

#define SERVICE   "http://169.254.169.254"
#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"

static const char *find(struct arena *arena);
static void ask(struct s3_role *role);
static void take_token(struct s3_role *role, struct text reply);
static void take_name(struct s3_role *role, struct text reply);

const struct s3_role_way s3_role_instance = {
    .whom = "the instance's metadata",
    .find = find,
    .ask = ask,
    .may_ask_metadata = true,
};

/* Without a '/' at its end. */
static const char *find(struct arena *arena)
{
    const char *disabled = s3_role_variable("AWS_EC2_METADATA_DISABLED");
    const char *named = s3_role_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct text url = text_of(named != NULL ? named : SERVICE);

    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        return NULL;
    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    return arena_string(arena, url);
}

static void ask(struct s3_role *role)
{
    s3_role_request(
        role,
        &(struct s3_role_request){
            .method = "PUT",
            .url = arena_printf(role->arena, "%s/latest/api/token", role->url),
            .header = "X-aws-ec2-metadata-token-ttl-seconds: 21600",
            .take = take_token,
        });
}

static void take_token(struct s3_role *role, struct text reply)
{
    if (!s3_role_is_word(reply)) {
        s3_role_give_up(role, "no token");
        return;
    }
    role->token = arena_printf(role->arena, "X-aws-ec2-metadata-token: %.*s",
                               TEXT_ARGUMENTS(reply));
    s3_role_request(
        role, &(struct s3_role_request){
                  .method = "GET",
                  .url = arena_printf(role->arena, "%s" ROLE_PATH, role->url),
                  .header = role->token,
                  .take = take_name,
              });
}

/* The first line is the role's name. */
static void take_name(struct s3_role *role, struct text reply)
{
    struct text name = {reply.data, 0};

    while (name.size < reply.size && name.data[name.size] != '\n')
        name.size++;
    if (!s3_role_is_word(name)) {
        s3_role_give_up(role, "the machine has no role");
        return;
    }
    s3_role_request(role,
                    &(struct s3_role_request){
                        .method = "GET",
                        .url = arena_printf(role->arena, "%s" ROLE_PATH "%.*s",
                                            role->url, TEXT_ARGUMENTS(name)),
                        .header = role->token,
                        .take = s3_role_take_json,
                    });
}

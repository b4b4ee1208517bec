/*
 * Asking a container's agent, which answers at once.
 */
#include "server/storage/s3_role_private.h"

#define SERVICE "http://169.254.170.2"

static const char *find(struct arena *arena);
static void ask(struct s3_role *role);
static const char *token_header(struct s3_role *role);

const struct s3_role_way s3_role_container = {
    .whom = "the container's agent",
    .find = find,
    .ask = ask,
    .may_ask_metadata = true,
};

static const char *find(struct arena *arena)
{
    const char *relative =
        s3_role_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = s3_role_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative != NULL)
        return arena_printf(arena, SERVICE "%s", relative);
    return full == NULL ? NULL : arena_strdup(arena, full);
}

static void ask(struct s3_role *role)
{
    s3_role_request(role, &(struct s3_role_request){
                              .method = "GET",
                              .url = role->url,
                              .header = token_header(role),
                              .take = s3_role_take_json,
                          });
}

static const char *token_header(struct s3_role *role)
{
    const char *path =
        s3_role_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = s3_role_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct text content = text_of(token);

    if (path != NULL && !s3_role_read_token(role, path, &content))
        return S3_ROLE_NO_HEADER;
    return text_is_absent(content)
               ? NULL
               : arena_printf(role->arena, "Authorization: %.*s",
                              TEXT_ARGUMENTS(content));
}

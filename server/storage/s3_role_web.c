/*
 * Asking Amazon's token service (STS) for a role, with the token that somebody
 * else has given us: the usual way on Kubernetes, where the token is in a file
 * of the pod. It is no secret of ours and needs no signature; the answer is
 * XML.
 */
#include "server/storage/s3_role_private.h"

#include "server/storage/s3_xml.h"
#include "server/storage/sigv4_canonical.h"

#include <string.h>

static const char *find(struct arena *arena);
static const char *service_of(const char *region, struct arena *arena);
static void ask(struct s3_role *role);
static const char *session_name(void);
static void take_xml(struct s3_role *role, struct text reply);

const struct s3_role_way s3_role_web = {
    .whom = "the token service",
    .find = find,
    .ask = ask,
};

static const char *find(struct arena *arena)
{
    const char *url = s3_role_variable("AWS_ENDPOINT_URL_STS");
    const char *region = s3_role_variable("AWS_REGION");

    if (s3_role_variable("AWS_WEB_IDENTITY_TOKEN_FILE") == NULL ||
        s3_role_variable("AWS_ROLE_ARN") == NULL)
        return NULL;
    if (region == NULL)
        region = s3_role_variable("AWS_DEFAULT_REGION");
    return url != NULL ? arena_strdup(arena, url) : service_of(region, arena);
}

/* `region` is NULL where nobody says which. */
static const char *service_of(const char *region, struct arena *arena)
{
    if (region == NULL)
        return "https://sts.amazonaws.com/";
    return arena_printf(arena, "https://sts.%s.amazonaws.com%s/", region,
                        strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

/* In the body, as an address may get into logs. */
static void ask(struct s3_role *role)
{
    struct sigv4_pair fields[] = {
        {text_of("Action"), text_of("AssumeRoleWithWebIdentity")},
        {text_of("Version"), text_of("2011-06-15")},
        {text_of("RoleArn"), text_of(s3_role_variable("AWS_ROLE_ARN"))},
        {text_of("RoleSessionName"), text_of(session_name())},
        {text_of("WebIdentityToken"), text_of("")},
    };
    const struct sigv4_pairs form = {fields, ARRAY_LENGTH(fields)};
    const char *path = s3_role_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const bool has_token = s3_role_read_token(role, path, &fields[4].value);

    s3_role_request(role,
                    &(struct s3_role_request){
                        .url = role->url,
                        .header = has_token ? NULL : S3_ROLE_NO_HEADER,
                        .form = text_of(canonical_query(&form, role->arena)),
                        .take = take_xml,
                    });
}

/* What Amazon's records call us. */
static const char *session_name(void)
{
    const char *name = s3_role_variable("AWS_ROLE_SESSION_NAME");

    return name == NULL ? "xqueue" : name;
}

static void take_xml(struct s3_role *role, struct text reply)
{
    struct s3_role_words words;

    if (s3_xml_role(reply, role->arena, &words))
        s3_role_answer(role, &words);
    else
        s3_role_give_up(role, "the answer has no credentials");
}

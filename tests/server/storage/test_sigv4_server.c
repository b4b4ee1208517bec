/*
 * server/storage/sigv4.c and s3_address.c against a real S3 server, with
 * libcurl between them: both must write each request in the same way.
 */
#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/storage/s3_address.h"
#include "server/storage/sigv4.h"
#include "tests/support/s3_server.h"
#include "tests/support/story.h"

#include <curl/curl.h>
#include <string.h>

/* A request to make, and how to sign it. All but the method may be left out. */
struct call {
    const char *method;
    const char *key; /* NULL: the bucket itself */
    const char *body;
    const struct sigv4_pair *query;
    size_t query_count;
    const char *range;         /* a header, signed like the others */
    const char *secret_key;    /* the right one by default */
    const char *session_token; /* none by default */
    const char *signed_body;   /* the body's digest is this one's */
    int64_t age_s;             /* how long ago it was signed */
};

struct answer {
    long status;
    const char *body;
};

static const char *const odd_keys[] = {
    "queue/0123456789abcdef",
    "a b+c&d=e?f#g%41~(h)!'*:@$,;",
    "\xc3\xa4/\xe6\x97\xa5\xe6\x9c\xac/\xf0\x9f\x98\x80",
    "a//b",
    "a/../b",
    "[x]{y}|\"<z>\\^`",
};

static struct arena *arena;
static struct s3_bucket bucket;

static void before_each(void);
static void after_each(void);
static struct answer ask(struct call call);
static char *link_to(struct call call, int64_t lifetime_s);
static struct answer follow(const char *method, const char *url);
static struct sigv4_credentials credentials_of(const struct call *call);
static struct sigv4_request request_of(const struct call *call,
                                       struct s3_address *ret_address);
static struct curl_slist *headers_of(const struct sigv4_signed *signature,
                                     const struct call *call);
static struct answer perform(const char *method, const char *url,
                             struct curl_slist *headers, const char *body);
static size_t take(char *bytes, size_t size, size_t count, void *context);

START_TEST(what_is_put_can_be_got)
{
    for (size_t i = 0; i < ARRAY_LENGTH(odd_keys); i++) {
        struct answer got;

        ck_assert_int_eq(ask((struct call){.method = "PUT",
                                           .key = odd_keys[i],
                                           .body = odd_keys[i]})
                             .status,
                         200);
        got = ask((struct call){.method = "GET", .key = odd_keys[i]});
        ck_assert_int_eq(got.status, 200);
        ck_assert_str_eq(got.body, odd_keys[i]);
    }
}
END_TEST

START_TEST(a_link_gives_the_object)
{
    for (size_t i = 0; i < ARRAY_LENGTH(odd_keys); i++) {
        struct answer got;

        (void)ask((struct call){
            .method = "PUT", .key = odd_keys[i], .body = odd_keys[i]});
        got = follow(
            "GET",
            link_to((struct call){.method = "GET", .key = odd_keys[i]}, 60));
        ck_assert_int_eq(got.status, 200);
        ck_assert_str_eq(got.body, odd_keys[i]);
    }
}
END_TEST

START_TEST(the_bucket_may_stand_in_the_host)
{
    struct answer got;

    bucket.endpoint = s3_server_url_by_name();
    bucket.addressing = S3_ADDRESSING_VIRTUAL;
    ck_assert_int_eq(
        ask((struct call){.method = "PUT", .key = "in host", .body = "1"})
            .status,
        200);
    got = follow("GET",
                 link_to((struct call){.method = "GET", .key = "in host"}, 60));
    ck_assert_int_eq(got.status, 200);
    ck_assert_str_eq(got.body, "1");
}
END_TEST

START_TEST(a_list_may_have_parameters_of_any_kind)
{
    const struct sigv4_pair query[] = {
        {text_of("prefix"), text_of("list \xc3\xa4+&/")},
        {text_of("list-type"), text_of("2")},
        {text_of("max-keys"), text_of("10")},
        {text_of("encoding-type"), text_of("url")},
    };
    struct answer got;

    (void)ask((struct call){
        .method = "PUT", .key = "list \xc3\xa4+&/one", .body = "1"});
    got = ask((struct call){.method = "GET", .query = query, .query_count = 4});
    ck_assert_int_eq(got.status, 200);
    ck_assert_ptr_nonnull(
        strstr(got.body, "<Key>list%20%C3%A4%2B%26/one</Key>"));
    ck_assert_ptr_nonnull(strstr(got.body, "<KeyCount>1</KeyCount>"));
}
END_TEST

START_TEST(a_prefix_is_part_of_the_name)
{
    struct answer got;

    bucket.prefix = "/some/course/";
    (void)ask((struct call){.method = "PUT", .key = "q/1", .body = "one"});
    bucket.prefix = NULL;
    got = ask((struct call){.method = "GET", .key = "some/course/q/1"});
    ck_assert_int_eq(got.status, 200);
    ck_assert_str_eq(got.body, "one");
}
END_TEST

START_TEST(what_is_deleted_is_gone)
{
    (void)ask((struct call){.method = "PUT", .key = "old", .body = "1"});
    ck_assert_int_eq(
        ask((struct call){.method = "DELETE", .key = "old"}).status, 204);
    ck_assert_int_eq(ask((struct call){.method = "GET", .key = "old"}).status,
                     404);
}
END_TEST

START_TEST(a_signed_header_is_obeyed)
{
    struct answer got;

    (void)ask(
        (struct call){.method = "PUT", .key = "long", .body = "0123456789"});
    got = ask(
        (struct call){.method = "GET", .key = "long", .range = "bytes=2-4"});
    ck_assert_int_eq(got.status, 206);
    ck_assert_str_eq(got.body, "234");
}
END_TEST

START_TEST(a_session_token_goes_along)
{
    ck_assert_int_eq(ask((struct call){.method = "PUT",
                                       .key = "by a role",
                                       .body = "1",
                                       .session_token = "to+ken/=="})
                         .status,
                     200);
    ck_assert_int_eq(
        follow("GET", link_to((struct call){.method = "GET",
                                            .key = "by a role",
                                            .session_token = "to+ken/=="},
                              60))
            .status,
        200);
}
END_TEST

START_TEST(the_server_refuses_another_secret)
{
    struct answer got;

    got = ask((struct call){
        .method = "PUT", .key = "x", .body = "1", .secret_key = "another"});
    ck_assert_int_eq(got.status, 403);
    ck_assert_ptr_nonnull(strstr(got.body, "SignatureDoesNotMatch"));
    got = follow("GET", link_to((struct call){.method = "GET",
                                              .key = "x",
                                              .secret_key = "another"},
                                60));
    ck_assert_int_eq(got.status, 403);
    ck_assert_ptr_nonnull(strstr(got.body, "SignatureDoesNotMatch"));
}
END_TEST

START_TEST(the_server_refuses_a_link_that_was_changed)
{
    char *link = link_to((struct call){.method = "GET", .key = "x"}, 60);

    (void)ask((struct call){.method = "PUT", .key = "x", .body = "1"});
    (void)ask((struct call){.method = "PUT", .key = "y", .body = "1"});
    ck_assert_int_eq(follow("GET", link).status, 200);
    ck_assert_int_eq(follow("DELETE", link).status, 403);
    strstr(link, "/x?")[1] = 'y';
    ck_assert_int_eq(follow("GET", link).status, 403);
}
END_TEST

START_TEST(the_server_refuses_another_body)
{
    ck_assert_int_eq(ask((struct call){.method = "PUT",
                                       .key = "changed",
                                       .body = "0",
                                       .signed_body = "1"})
                         .status,
                     400);
    ck_assert_int_eq(
        ask((struct call){.method = "GET", .key = "changed"}).status, 404);
}
END_TEST

START_TEST(the_server_refuses_what_is_too_old)
{
    struct answer got;

    (void)ask((struct call){.method = "PUT", .key = "x", .body = "1"});
    got = ask((struct call){.method = "GET", .key = "x", .age_s = 3600});
    ck_assert_int_eq(got.status, 403);
    ck_assert_ptr_nonnull(strstr(got.body, "RequestTimeTooSkewed"));
    got = follow(
        "GET",
        link_to((struct call){.method = "GET", .key = "x", .age_s = 61}, 60));
    ck_assert_int_eq(got.status, 403);
    ck_assert_ptr_nonnull(strstr(got.body, "Request has expired"));
    ck_assert_int_eq(follow("GET", link_to((struct call){.method = "GET",
                                                         .key = "x",
                                                         .age_s = 518400},
                                           604800))
                         .status,
                     200);
}
END_TEST

static void before_each(void)
{
    arena = arena_new();
    bucket = (struct s3_bucket){.endpoint = s3_server_url(),
                                .region = S3_SERVER_REGION,
                                .name = S3_SERVER_BUCKET};
}

static void after_each(void)
{
    arena_free(arena);
}

static struct answer ask(struct call call)
{
    struct sigv4_credentials credentials = credentials_of(&call);
    struct s3_address address;
    struct sigv4_request request = request_of(&call, &address);
    const struct sigv4_pair range = {text_of("Range"), text_of(call.range)};
    const char *body = call.signed_body != NULL ? call.signed_body : call.body;
    struct sigv4_signed signature;
    char digest[SHA256_HEX_SIZE];

    if (call.range != NULL) {
        request.headers = &range;
        request.header_count = 1;
    }
    crypto_sha256_hex(text_of(body == NULL ? "" : body), digest);
    sigv4_sign(&credentials, &request, digest, arena, &signature);
    return perform(
        call.method,
        arena_printf(arena, "%s%s", address.origin.data, signature.target),
        headers_of(&signature, &call), call.body);
}

static char *link_to(struct call call, int64_t lifetime_s)
{
    struct sigv4_credentials credentials = credentials_of(&call);
    struct s3_address address;
    struct sigv4_request request = request_of(&call, &address);

    return arena_printf(
        arena, "%s%s", address.origin.data,
        sigv4_presign(&credentials, &request, lifetime_s, arena));
}

static struct answer follow(const char *method, const char *url)
{
    return perform(method, url, NULL, NULL);
}

static struct sigv4_credentials credentials_of(const struct call *call)
{
    return (struct sigv4_credentials){
        .access_key = S3_SERVER_ACCESS_KEY,
        .secret_key =
            call->secret_key != NULL ? call->secret_key : S3_SERVER_SECRET_KEY,
        .session_token = call->session_token,
        .region = S3_SERVER_REGION,
        .service = "s3",
    };
}

static struct sigv4_request request_of(const struct call *call,
                                       struct s3_address *ret_address)
{
    ck_assert(s3_address_of(&bucket, text_of(call->key), arena, ret_address));
    return (struct sigv4_request){
        .method = call->method,
        .host = ret_address->host,
        .path = ret_address->path,
        .query = call->query,
        .query_count = call->query_count,
        .time_s = clock_wall_us() / 1000000 - call->age_s,
    };
}

static struct curl_slist *headers_of(const struct sigv4_signed *signature,
                                     const struct call *call)
{
    struct curl_slist *headers = NULL;

    headers = curl_slist_append(
        headers, arena_printf(arena, "x-amz-date: %s", signature->date));
    headers = curl_slist_append(headers,
                                arena_printf(arena, "x-amz-content-sha256: %s",
                                             signature->content_sha256));
    headers =
        curl_slist_append(headers, arena_printf(arena, "Authorization: %s",
                                                signature->authorization));
    if (signature->security_token != NULL)
        headers = curl_slist_append(
            headers, arena_printf(arena, "x-amz-security-token: %s",
                                  signature->security_token));
    if (call->range != NULL)
        headers = curl_slist_append(
            headers, arena_printf(arena, "Range: %s", call->range));
    return headers;
}

/* Takes the headers. */
static struct answer perform(const char *method, const char *url,
                             struct curl_slist *headers, const char *body)
{
    struct buffer got = {NULL, 0, 0};
    struct answer answer = {.status = 0};
    CURL *curl = curl_easy_init();

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
    ck_assert_int_eq(curl_easy_perform(curl), CURLE_OK);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.body = arena_string(arena, buffer_text(&got));
    buffer_free(&got);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return answer;
}

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    buffer_append(context, bytes, size * count);
    return size * count;
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_is_put_can_be_got),
        TELL(a_link_gives_the_object),
        TELL(the_bucket_may_stand_in_the_host),
        TELL(a_list_may_have_parameters_of_any_kind),
        TELL(a_prefix_is_part_of_the_name),
        TELL(what_is_deleted_is_gone),
        TELL(a_signed_header_is_obeyed),
        TELL(a_session_token_goes_along),
        TELL(the_server_refuses_another_secret),
        TELL(the_server_refuses_a_link_that_was_changed),
        TELL(the_server_refuses_another_body),
        TELL(the_server_refuses_what_is_too_old),
    };
    static const struct story story = {
        .name = "sigv4 and a server",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = s3_server_start,
        .after_all = s3_server_stop,
        .before_each = before_each,
        .after_each = after_each,
    };

    return story_run(&story);
}

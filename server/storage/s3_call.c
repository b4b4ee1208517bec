/*
 * One request to S3.
 *
 * credentials -> signature -> request -> verdict, and from the beginning
 * after a pause when the verdict is "again". Each try is signed anew, since a
 * signature tells the time.
 */
#include "server/storage/s3_call.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/storage/s3_xml.h"
#include "server/task/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 2000,
    SILENCE_MS = 2500,
    FIRST_PAUSE_MS = 200 /* then three times as much; and half, by chance */
};

static void resume_task(struct s3_call *call);
static void begin_try(struct s3_call *call);
static void on_granted(struct s3_wish *wish);
static void send_request(struct s3_call *call,
                         const struct sigv4_credentials *credentials);
static void sign(struct s3_call *call,
                 const struct sigv4_credentials *credentials,
                 const struct s3_address *address,
                 struct sigv4_signed *ret_signed);
static void set_headers(struct s3_call *call,
                        const struct sigv4_signed *signature);
static void on_fetched(struct fetch *fetch);
static enum storage_status judge(struct s3_call *call, const char *code);
static bool may_help_again(struct s3_call *call, const char *code);
static bool retry_later(struct s3_call *call);
static void on_retry(void *context);
static void describe(struct s3_call *call, const char *code);
static void end(struct s3_call *call);

void s3_call_start(struct s3_call *call)
{
    call->tries = 0;
    call->http_status = 0;
    call->may_have_come = false;
    if (call->max_reply_bytes < S3_CALL_LEAST_REPLY)
        call->max_reply_bytes = S3_CALL_LEAST_REPLY;
    begin_try(call);
}

enum step s3_call_await(struct s3_call *call, struct task *task,
                        task_step *next)
{
    const enum step step = task_wait(task, next);

    call->done = resume_task;
    call->context = task;
    s3_call_start(call);
    return step;
}

void s3_call_free(struct s3_call *call)
{
    buffer_free(&call->reply);
    arena_free(call->arena);
    loop_timer_free(call->retry);
    call->arena = NULL;
    call->retry = NULL;
}

bool s3_call_was_refused(const struct s3_call *call)
{
    return call->fetch.status == FETCH_DONE && call->http_status >= 300 &&
           call->http_status < 500 && call->http_status != 408 &&
           call->http_status != 429;
}

static void resume_task(struct s3_call *call)
{
    task_resume(call->context);
}

static void begin_try(struct s3_call *call)
{
    struct sigv4_credentials credentials;

    buffer_free(&call->reply);
    arena_free(call->arena);
    call->arena = arena_new();
    if (s3_credentials_copy(call->s3->keys, call->arena, &credentials)) {
        send_request(call, &credentials);
        return;
    }
    call->wish.granted = on_granted;
    s3_credentials_await(call->s3->keys, &call->wish);
}

static void on_granted(struct s3_wish *wish)
{
    struct s3_call *call = CONTAINER_OF(wish, struct s3_call, wish);
    struct sigv4_credentials credentials;
    const char *why = s3_credentials_reason(call->s3->keys);

    if (s3_credentials_copy(call->s3->keys, call->arena, &credentials)) {
        send_request(call, &credentials);
        return;
    }
    call->status = STORAGE_UNAVAILABLE;
    snprintf(call->reason, sizeof call->reason, "S3: %s",
             why[0] == '\0' ? "the role's credentials are not good" : why);
    end(call);
}

static void send_request(struct s3_call *call,
                         const struct sigv4_credentials *credentials)
{
    struct s3 *s3 = call->s3;
    struct s3_address address;
    struct sigv4_signed signature;
    struct text key = call->key == NULL
                          ? TEXT_ABSENT
                          : s3_key_of(call->queue_name, call->key, call->arena);

    if (!s3_address_of(&s3->bucket, key, call->arena, &address))
        fatal("the bucket's address is not good any more");
    call->access_key = credentials->access_key;
    sign(call, credentials, &address, &signature);
    set_headers(call, &signature);
    call->fetch = (struct fetch){
        .url = arena_printf(call->arena, "%s%s", address.origin.data,
                            signature.target),
        .method = call->method,
        .headers = call->headers,
        .body = call->body,
        .content_type = "application/octet-stream",
        .policy = {.verify_tls = s3->verify_tls, .ca_file = s3->ca_file},
        .connect_timeout_ms = CONNECT_MS,
        .idle_timeout_ms = SILENCE_MS,
        .deadline_ms = call->deadline_ms,
        .max_reply_bytes = call->max_reply_bytes,
        .keep_reply = true,
        .done = on_fetched,
    };
    call->tries++;
    fetcher_start(s3->fetcher, &call->fetch);
}

static void sign(struct s3_call *call,
                 const struct sigv4_credentials *credentials,
                 const struct s3_address *address,
                 struct sigv4_signed *ret_signed)
{
    const struct sigv4_credentials complete = {
        .access_key = credentials->access_key,
        .secret_key = credentials->secret_key,
        .session_token = credentials->session_token,
        .region = call->s3->bucket.region,
        .service = "s3",
    };
    const struct sigv4_pair type = {text_of("Content-Type"),
                                    text_of("application/octet-stream")};
    const struct sigv4_request request = {
        .method = call->method,
        .host = address->host,
        .path = address->path,
        .query = call->query,
        .query_count = call->query_count,
        .headers = &type,
        .header_count = call->content_sha256 != NULL ? 1 : 0,
        .time_s = clock_wall_us() / 1000000,
    };
    const char *digest = call->content_sha256;

    if (digest == NULL) {
        char *of_nothing = arena_alloc(call->arena, SHA256_HEX_SIZE);

        crypto_sha256_hex(text_of(""), of_nothing);
        digest = of_nothing;
    }
    sigv4_sign(&complete, &request, digest, call->arena, ret_signed);
}

static void set_headers(struct s3_call *call,
                        const struct sigv4_signed *signature)
{
    size_t count = 0;

    call->headers[count++] =
        arena_printf(call->arena, "x-amz-date: %s", signature->date);
    call->headers[count++] = arena_printf(
        call->arena, "x-amz-content-sha256: %s", signature->content_sha256);
    call->headers[count++] = arena_printf(call->arena, "Authorization: %s",
                                          signature->authorization);
    if (signature->security_token != NULL)
        call->headers[count++] = arena_printf(
            call->arena, "x-amz-security-token: %s", signature->security_token);
    call->headers[count] = NULL;
}

static void on_fetched(struct fetch *fetch)
{
    struct s3_call *call = CONTAINER_OF(fetch, struct s3_call, fetch);
    char code[S3_CODE_SIZE] = "";

    call->reply = fetch->reply;
    fetch->reply = (struct buffer){NULL, 0, 0};
    free(fetch->reply_type);
    fetch->reply_type = NULL;
    call->http_status = fetch->http_status;
    if (fetch->status == FETCH_BROKEN ||
        (fetch->status == FETCH_DONE && !s3_call_was_refused(call)))
        call->may_have_come = true;
    if (fetch->status == FETCH_DONE && fetch->http_status >= 300)
        s3_xml_error_code(buffer_text(&call->reply), code);
    call->status = judge(call, code);
    describe(call, code);
    if (call->status != STORAGE_UNAVAILABLE || !may_help_again(call, code) ||
        !retry_later(call))
        end(call);
}

static enum storage_status judge(struct s3_call *call, const char *code)
{
    const struct fetch *fetch = &call->fetch;

    if (fetch->status != FETCH_DONE)
        return STORAGE_UNAVAILABLE;
    if (fetch->http_status >= 200 && fetch->http_status < 300)
        return fetch->reply_was_cut ? STORAGE_UNAVAILABLE : STORAGE_OK;
    if (fetch->http_status == 404 && strcmp(code, "NoSuchBucket") != 0)
        return STORAGE_NOT_FOUND;
    return STORAGE_UNAVAILABLE;
}

static bool may_help_again(struct s3_call *call, const char *code)
{
    if (call->tries >= S3_CALL_TRIES)
        return false;
    if (call->fetch.status == FETCH_UNSENT ||
        call->fetch.status == FETCH_BROKEN)
        return true;
    if (call->fetch.status != FETCH_DONE)
        return false;
    if (strcmp(code, "ExpiredToken") == 0) {
        s3_credentials_refused(call->s3->keys, call->access_key);
        return true;
    }
    return (call->http_status >= 300 && !s3_call_was_refused(call)) ||
           strcmp(code, "RequestTimeout") == 0;
}

/* False when there is no time left for it. */
static bool retry_later(struct s3_call *call)
{
    const int64_t left_ms = call->deadline_ms - clock_monotonic_ms();
    int64_t pause_ms = FIRST_PAUSE_MS;
    unsigned char chance;

    for (unsigned i = 1; i < call->tries; i++)
        pause_ms *= 3;
    crypto_random(&chance, sizeof chance);
    pause_ms += pause_ms * chance / 512;
    if (pause_ms >= left_ms)
        return false;
    if (call->retry == NULL)
        call->retry = loop_timer_new(call->s3->env->loop, on_retry, call);
    loop_timer_set(call->retry, pause_ms);
    return true;
}

static void on_retry(void *context)
{
    begin_try(context);
}

static void describe(struct s3_call *call, const char *code)
{
    const struct fetch *fetch = &call->fetch;

    if (fetch->reply_was_cut && fetch->http_status < 300)
        snprintf(call->reason, sizeof call->reason,
                 "S3 answered more than %zu bytes to a %s",
                 call->max_reply_bytes, call->method);
    else if (fetch->status == FETCH_DONE)
        snprintf(call->reason, sizeof call->reason,
                 "S3 answered %ld%s%s to a %s (try %u)", fetch->http_status,
                 code[0] == '\0' ? "" : " ", code, call->method, call->tries);
    else
        snprintf(call->reason, sizeof call->reason, "S3: %s (%s, try %u)",
                 fetch->reason, call->method, call->tries);
}

/* The call may be gone or started again afterwards. */
static void end(struct s3_call *call)
{
    arena_free(call->arena);
    call->arena = NULL;
    call->done(call);
}

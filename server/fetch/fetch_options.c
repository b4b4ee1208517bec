/*
 * What we ask of curl for one hop.
 *
 * The aim is a request as python-requests would send it, and nothing that the
 * environment, the peer or a redirect could add to it: no proxies, cookies,
 * netrc, other protocols or other HTTP versions.
 */
#include "server/fetch/fetch_options.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_IDLE_CONNECTION_S = 30, MAX_CONNECTION_LIFE_S = 300 };

static void set_manners(CURL *easy);
static void set_network(CURL *easy, bool fresh_connection);
static void set_times(CURL *easy, const struct fetch *fetch, int64_t spent_ms);
static long time_left_ms(const struct fetch *fetch, int64_t spent_ms);
static void set_tls(CURL *easy, const struct fetch_policy *policy);
static void set_request(struct fetch_transfer *transfer);
static void set_method(struct fetch_transfer *transfer);
static void set_body(struct fetch_transfer *transfer);
static void set_password(CURL *easy, const struct fetch *fetch);
static void add_header(struct fetch_transfer *transfer, const char *line);

void fetch_options_set(struct fetch_transfer *transfer, const char *user_agent,
                       int64_t spent_ms)
{
    CURL *easy = transfer->easy;

    if (transfer->redirects > 0)
        curl_easy_reset(easy);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    set_manners(easy);
    set_network(easy, transfer->fetch->fresh_connection);
    set_times(easy, transfer->fetch, spent_ms);
    set_tls(easy, &transfer->fetch->policy);
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent));
    set_request(transfer);
}

void fetch_option_must(unsigned code)
{
    if (code != CURLE_OK)
        fatal("curl does not take an option: %s",
              curl_easy_strerror((CURLcode)code));
}

static void set_manners(CURL *easy)
{
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Else an abandoned name look-up stops the whole loop until it ends. */
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
#endif
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https"));
    /* Redirects are hops of our own, each held to the policy before it. */
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                                       (long)CURL_HTTP_VERSION_1_1));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L));
}

static void set_network(CURL *easy, bool fresh_connection)
{
    /* The empty name turns off the proxies of the environment, too. */
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_PROXY, ""));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                                       (long)MAX_IDLE_CONNECTION_S));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
                                       (long)MAX_CONNECTION_LIFE_S));
    if (!fresh_connection)
        return;
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L));
}

static void set_times(CURL *easy, const struct fetch *fetch, int64_t spent_ms)
{
    long left_ms = time_left_ms(fetch, spent_ms);

    fetch_option_must(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                                       fetch->connect_timeout_ms));
    if (fetch->total_timeout_ms > 0 || fetch->deadline_ms > 0)
        fetch_option_must(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                                           left_ms > 0 ? left_ms : 1L));
}

/* Of the total time and the deadline, what ends first. */
static long time_left_ms(const struct fetch *fetch, int64_t spent_ms)
{
    int64_t left_ms = fetch->total_timeout_ms - spent_ms;
    int64_t until_ms = fetch->deadline_ms - clock_monotonic_ms();

    if (fetch->total_timeout_ms == 0 ||
        (fetch->deadline_ms > 0 && until_ms < left_ms))
        left_ms = until_ms;
    return (long)left_ms;
}

static void set_tls(CURL *easy, const struct fetch_policy *policy)
{
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                                       (long)CURL_SSLVERSION_TLSv1_2));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER,
                                       policy->verify_tls ? 1L : 0L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
                                       policy->verify_tls ? 2L : 0L));
    if (policy->ca_file == NULL)
        return;
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_CAINFO, policy->ca_file));
    /* That file and no other authority. */
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_CAPATH, NULL));
}

static void set_request(struct fetch_transfer *transfer)
{
    const struct fetch *fetch = transfer->fetch;
    CURL *easy = transfer->easy;

    fetch_option_must(curl_easy_setopt(easy, CURLOPT_URL, transfer->url.url));
    for (const char *const *line = fetch->headers;
         line != NULL && *line != NULL; line++)
        add_header(transfer, *line);
    if (fetch->method != NULL)
        set_method(transfer);
    else if (transfer->is_post)
        set_body(transfer);
    else
        fetch_option_must(curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L));
    if (fetch->username != NULL && transfer->sends_password)
        set_password(easy, fetch);
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers));
}

static void set_method(struct fetch_transfer *transfer)
{
    const char *method = transfer->fetch->method;
    CURL *easy = transfer->easy;

    if (strcmp(method, "PUT") == 0)
        set_body(transfer);
    else if (strcmp(method, "HEAD") == 0)
        fetch_option_must(curl_easy_setopt(easy, CURLOPT_NOBODY, 1L));
    else
        fetch_option_must(curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method));
}

static void set_body(struct fetch_transfer *transfer)
{
    const struct fetch *fetch = transfer->fetch;
    CURL *easy = transfer->easy;

    fetch_option_must(curl_easy_setopt(easy, CURLOPT_POST, 1L));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                       (curl_off_t)fetch->body.size));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         fetch->body.data == NULL ? "" : fetch->body.data));
    add_header(transfer, "Expect:"); /* a name without value: leave it out */
    if (fetch->content_type == NULL) {
        add_header(transfer, "Content-Type:");
    } else {
        char *line = xasprintf("Content-Type: %s", fetch->content_type);

        add_header(transfer, line);
        free(line);
    }
}

static void set_password(CURL *easy, const struct fetch *fetch)
{
    const char *password = fetch->password == NULL ? "" : fetch->password;

    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_USERNAME, fetch->username));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_PASSWORD, password));
}

static void add_header(struct fetch_transfer *transfer, const char *line)
{
    struct curl_slist *headers = curl_slist_append(transfer->headers, line);

    if (headers == NULL)
        fatal("curl: no memory for a header");
    transfer->headers = headers;
}

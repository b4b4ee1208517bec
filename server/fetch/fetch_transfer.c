/*
 * One fetch under way.
 *
 * Bytes are counted here, not by curl, because curl's own limits trust what
 * the peer announces. That nothing was sent is known from curl asking us just
 * before it writes a request: until it has asked, nothing was.
 */
#include "server/fetch/fetch_transfer.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/fetch/address.h"
#include "server/fetch/fetch_options.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_HEAD_BYTES = 64 * 1024, /* of one hop, with 1xx and trailers */
    MAX_REDIRECTS = 30,         /* as python-requests */
    MAX_SENDINGS = 2,           /* of one hop; curl itself would go to 6 */
    MAX_RETRY_AFTER_S = 24 * 60 * 60
};

static void start_idle_timer(struct fetch_transfer *transfer, int64_t wait_ms);
static void on_idle_timer(evutil_socket_t socket, short what, void *context);
static void forget_hop(struct fetch_transfer *transfer);
static void set_callbacks(struct fetch_transfer *transfer);
static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address);
static int on_request(void *context, char *remote_ip, char *local_ip,
                      int remote_port, int local_port);
static size_t on_header(char *data, size_t one, size_t size, void *context);
static size_t on_body(char *data, size_t one, size_t size, void *context);
static long answer_code(const struct fetch_transfer *transfer);
static bool is_answered(const struct fetch_transfer *transfer, int result);
static enum fetch_status judge_failure(struct fetch_transfer *transfer,
                                       int result);

struct fetch_transfer *fetch_transfer_new(struct fetcher *fetcher,
                                          struct fetch *fetch)
{
    struct fetch_transfer *transfer = xcalloc(1, sizeof *transfer);

    transfer->fetcher = fetcher;
    transfer->fetch = fetch;
    transfer->is_post = true;
    transfer->sends_password = true;
    return transfer;
}

void fetch_transfer_begin(struct fetch_transfer *transfer,
                          struct event_base *base,
                          void (*on_silence)(struct fetch_transfer *))
{
    transfer->is_active = true;
    transfer->started_ms = clock_monotonic_ms();
    transfer->on_silence = on_silence;
    transfer->error = xcalloc(1, CURL_ERROR_SIZE);
    transfer->idle_timer = event_new(base, -1, 0, on_idle_timer, transfer);
    if (transfer->idle_timer == NULL)
        fatal("fetch: cannot make a transfer");
}

void fetch_transfer_prepare(struct fetch_transfer *transfer,
                            const char *user_agent)
{
    int64_t spent_ms = clock_monotonic_ms() - transfer->started_ms;

    forget_hop(transfer);
    fetch_options_set(transfer, user_agent, spent_ms);
    set_callbacks(transfer);
}

void fetch_transfer_moved(struct fetch_transfer *transfer)
{
    transfer->last_byte_ms = clock_monotonic_ms();
}

void fetch_transfer_rest(struct fetch_transfer *transfer)
{
    event_del(transfer->idle_timer);
}

const char *fetch_transfer_redirect(const struct fetch_transfer *transfer)
{
    long code = answer_code(transfer);
    struct curl_header *location;

    if (!transfer->fetch->follow_redirects || transfer->fetch->method != NULL ||
        transfer->redirects >= MAX_REDIRECTS)
        return NULL;
    if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308)
        return NULL;
    /* Not CURLINFO_REDIRECT_URL: that has the password in it. */
    if (curl_easy_header(transfer->easy, "Location", 0, CURLH_HEADER, -1,
                         &location) != CURLHE_OK)
        return NULL;
    return location->value;
}

void fetch_transfer_follow(struct fetch_transfer *transfer,
                           struct fetch_url url)
{
    long code = answer_code(transfer);

    if (code != 307 && code != 308)
        transfer->is_post = false;
    if (!fetch_url_is_same_site(&transfer->url, &url))
        transfer->sends_password = false;
    fetch_url_free(&transfer->url);
    transfer->url = url;
    transfer->redirects++;
}

enum fetch_status fetch_transfer_judge(struct fetch_transfer *transfer,
                                       int result)
{
    struct fetch *fetch = transfer->fetch;

    if (!is_answered(transfer, result))
        return judge_failure(transfer, result);
    snprintf(fetch->reason, sizeof fetch->reason, "HTTP %ld%s%s",
             answer_code(transfer),
             transfer->redirects >= MAX_REDIRECTS ? ", too many redirects" : "",
             transfer->body_cut        ? ", reply cut off"
             : result != (int)CURLE_OK ? ", reply incomplete"
                                       : "");
    return FETCH_DONE;
}

void fetch_transfer_record(struct fetch_transfer *transfer)
{
    struct fetch *fetch = transfer->fetch;
    char *type = NULL;
    curl_off_t retry_after_s = 0;

    fetch->http_status = answer_code(transfer);
    fetch->reply_was_cut = transfer->body_cut;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL)
        fetch->reply_type = xstrdup(type);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > MAX_RETRY_AFTER_S)
        retry_after_s = MAX_RETRY_AFTER_S;
    if (retry_after_s > 0)
        fetch->retry_after_s = (long)retry_after_s;
}

void fetch_transfer_close(struct fetch_transfer *transfer)
{
    if (transfer->easy != NULL)
        curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    if (transfer->idle_timer != NULL)
        event_free(transfer->idle_timer);
    transfer->easy = NULL;
    transfer->headers = NULL;
    transfer->idle_timer = NULL;
}

void fetch_transfer_free(struct fetch_transfer *transfer)
{
    if (transfer == NULL)
        return;
    fetch_transfer_close(transfer);
    fetch_url_free(&transfer->url);
    free(transfer->error);
    free(transfer);
}

static void start_idle_timer(struct fetch_transfer *transfer, int64_t wait_ms)
{
    struct timeval wait = {
        .tv_sec = wait_ms / 1000,
        .tv_usec = wait_ms % 1000 * 1000,
    };

    event_add(transfer->idle_timer, &wait);
}

/* Started once per hop; a byte only moves the mark that is looked at here. */
static void on_idle_timer(evutil_socket_t socket, short what, void *context)
{
    struct fetch_transfer *transfer = context;
    int64_t wait_ms = transfer->last_byte_ms +
                      transfer->fetch->idle_timeout_ms - clock_monotonic_ms();

    (void)socket;
    (void)what;
    if (wait_ms > 0) {
        start_idle_timer(transfer, wait_ms);
        return;
    }
    transfer->was_silent = true;
    transfer->on_silence(transfer);
}

static void forget_hop(struct fetch_transfer *transfer)
{
    transfer->head_ended = false;
    transfer->head_too_long = false;
    transfer->body_cut = false;
    transfer->sendings = 0;
    transfer->head_bytes = 0;
    transfer->body_bytes = 0;
    transfer->addresses_refused = 0;
    transfer->addresses_tried = 0;
    transfer->error[0] = '\0';
    buffer_clear(&transfer->fetch->reply);
}

static void set_callbacks(struct fetch_transfer *transfer)
{
    CURL *easy = transfer->easy;

    fetch_option_must(curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer));
    fetch_option_must(
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
    fetch_option_must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer));
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct fetch_transfer *transfer = context;

    (void)purpose;
    if (!transfer->fetch->policy.may_ask_metadata &&
        address_is_forbidden(&address->addr, address->addrlen)) {
        transfer->addresses_refused++;
        return CURL_SOCKET_BAD;
    }
    transfer->addresses_tried++;
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

/*
 * The connection stands; curl writes the request as soon as we return. When
 * it comes here again in the same hop, a kept connection has ended before a
 * byte of the answer, and curl is about to send the request once more.
 */
static int on_request(void *context, char *remote_ip, char *local_ip,
                      int remote_port, int local_port)
{
    struct fetch_transfer *transfer = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (transfer->sendings >= MAX_SENDINGS)
        return CURL_PREREQFUNC_ABORT;
    transfer->sendings++;
    transfer->request_began = true;
    fetch_transfer_moved(transfer);
    if (transfer->fetch->idle_timeout_ms > 0)
        start_idle_timer(transfer, transfer->fetch->idle_timeout_ms);
    return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    struct fetch_transfer *transfer = context;
    struct text line = {data, size * one};

    transfer->head_bytes += line.size;
    if (transfer->head_bytes > MAX_HEAD_BYTES) {
        transfer->head_too_long = true;
        return 0; /* ends the transfer */
    }
    if (text_starts_with(line, "HTTP/"))
        transfer->head_ended = false;
    else if (text_equal_string(line, "\r\n") || text_equal_string(line, "\n"))
        transfer->head_ended = true;
    return line.size;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct fetch_transfer *transfer = context;
    struct fetch *fetch = transfer->fetch;
    size_t room = fetch->max_reply_bytes - transfer->body_bytes;
    size_t taken = size * one < room ? size * one : room;

    if (fetch->keep_reply)
        buffer_append(&fetch->reply, data, taken);
    transfer->body_bytes += taken;
    if (taken < size * one)
        transfer->body_cut = true;
    return taken; /* fewer than came: ends the transfer */
}

static long answer_code(const struct fetch_transfer *transfer)
{
    long code = 0;

    if (transfer->easy != NULL)
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/*
 * Who does not want the body has the answer once its head is there, even if
 * the body then breaks: a callback that the LMS said 200 to is delivered. A
 * time-out is a failure all the same.
 */
static bool is_answered(const struct fetch_transfer *transfer, int result)
{
    if (answer_code(transfer) < 200 || !transfer->head_ended ||
        transfer->head_too_long)
        return false;
    if (result == (int)CURLE_OK || transfer->body_cut)
        return true;
    return !transfer->fetch->keep_reply &&
           result != (int)CURLE_OPERATION_TIMEDOUT;
}

static enum fetch_status judge_failure(struct fetch_transfer *transfer,
                                       int result)
{
    struct fetch *fetch = transfer->fetch;
    const char *words = transfer->error;
    enum fetch_status status = FETCH_BROKEN;

    if (words[0] == '\0')
        words = curl_easy_strerror((CURLcode)result);
    if (transfer->addresses_refused > 0 && transfer->addresses_tried == 0) {
        words = "the host's address is not allowed";
        status = FETCH_REFUSED_HOST;
    } else if (transfer->was_silent) {
        words = "the peer fell silent";
    } else if (result == (int)CURLE_ABORTED_BY_CALLBACK) {
        words = "kept connections ended before an answer";
    } else if (transfer->head_too_long) {
        words = "the reply's head is too long";
    } else if (!transfer->request_began) {
        status = FETCH_UNSENT;
    }
    snprintf(fetch->reason, sizeof fetch->reason, "%s", words);
    return status;
}

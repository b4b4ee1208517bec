/*
 * Who speaks.
 *
 *   auth_require_login   look the cookie's session up in memory, or
 *   session_loaded       in the database; then go on with the endpoint
 */
#include "server/api/auth.h"

#include "db/session.h"
#include "server/api/reply.h"
#include "server/api/route.h"
#include "server/base/clock.h"
#include "server/config/config.h"
#include "server/http/cookie.h"
#include "server/session/session_id.h"
#include "server/session/sessions.h"

#include <ctype.h>
#include <string.h>

static enum step session_loaded(struct task *task);
static enum step redirect_to_login(struct task *task);
static void append_quoted(struct buffer *location, struct text text);

enum step auth_require_login(struct task *task)
{
    struct request *request = request_of(task);
    const struct cached_session *known;
    struct session_load *load;

    if (!auth_read_cookie(task, request->session_id))
        return redirect_to_login(task);
    known = session_cache_find(task->env->sessions->cache, request->session_id,
                               clock_monotonic_ms());
    if (known != NULL) {
        request->username = arena_copy(task->arena, known->username);
        return request->route->handle(task);
    }
    load = request_new_state(task, sizeof *load);
    load->arena = task->arena;
    memcpy(load->id, request->session_id, SHA256_SIZE);
    return task_await_database(task, &load->job, &session_load_op,
                               session_loaded);
}

bool auth_read_cookie(struct task *task, unsigned char ret_id[SHA256_SIZE])
{
    struct text field = http_field(request_of(task)->http, "Cookie");
    const char *name = task->env->config->session_cookie_name;

    if (text_is_absent(field))
        return false;
    return session_id_parse(cookie_get(field, name), ret_id);
}

static enum step session_loaded(struct task *task)
{
    struct request *request = request_of(task);
    const struct session_load *load = request->state;
    struct cached_session session = {load->user_id, load->username};

    if (load->job.status == DB_NOT_FOUND)
        return redirect_to_login(task);
    if (load->job.status != DB_OK)
        return reply_unavailable(task, &load->job);
    session_cache_put(task->env->sessions->cache, request->session_id, &session,
                      load->remaining_us, load->session_epoch,
                      clock_monotonic_ms());
    request->username = load->username;
    return request->route->handle(task);
}

/* R1: next is the path and query as sent, quoted but for the slashes. */
static enum step redirect_to_login(struct task *task)
{
    const struct http_request *http = request_of(task)->http;
    struct buffer location = {NULL, 0, 0};
    const char *copy;

    buffer_append_string(&location, "/xqueue/login/?next=");
    append_quoted(&location, http_path(http));
    if (http_query(http).size > 0) {
        buffer_append_string(&location, "%3F");
        append_quoted(&location, http_query(http));
    }
    copy = arena_strdup(task->arena, location.data);
    buffer_free(&location);
    return reply_redirect(task, 302, copy);
}

/*
 * As Django: it first escapes what a URI must not hold, and then all of it
 * once more as a value of a query.
 */
static void append_quoted(struct buffer *location, struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte != 0 && byte < 0x80 &&
            (isalnum(byte) || strchr("_.-~/", byte) != NULL))
            buffer_append_char(location, (char)byte);
        else if (byte > 0x20 && byte < 0x7f &&
                 strchr("\"<>\\^`{|}", byte) == NULL)
            buffer_printf(location, "%%%02X", byte);
        else
            buffer_printf(location, "%%25%02X", byte);
    }
}

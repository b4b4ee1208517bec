/*
 * From a request's path to its endpoint. Paths are compared raw: one with a
 * percent sign is nobody's, for no client writes them so, and a proxy in front
 * may judge them otherwise. Below MEDIA_URL it may name a queue (media.c).
 */
#include "server/api/router.h"

#include "server/api/auth.h"
#include "server/api/endpoints.h"
#include "server/api/media.h"
#include "server/api/reply.h"
#include "server/api/route.h"

#include <string.h>

static const struct route routes[] = {
    {"/xqueue/status/", "status", ACCESS_OPEN, "GET, HEAD", api_status},
    {"/xqueue/login/", "login", ACCESS_OPEN, "GET, HEAD, POST", api_login},
    {"/xqueue/logout/", "logout", ACCESS_OPEN, "GET, HEAD, POST", api_logout},
    {"/xqueue/submit/", "submit", ACCESS_LOGIN, "GET, HEAD, POST", api_submit},
    {"/xqueue/get_queuelen/", "get_queuelen", ACCESS_LOGIN, "GET, HEAD",
     api_get_queuelen},
    {"/xqueue/get_submission/", "get_submission", ACCESS_LOGIN, "GET",
     api_get_submission},
    {"/xqueue/put_result/", "put_result", ACCESS_LOGIN, "GET, HEAD, POST",
     api_put_result},
};

static enum step dispatch(struct task *task);
static enum step refuse_method(struct task *task);
static enum step add_slash(struct task *task);
static const struct route *find_route(struct text path);
static bool lacks_slash(struct text path);
static bool allows(const struct route *route, const char *method);

void router_handle(struct http_request *http, void *env)
{
    struct task *task = task_new(env, sizeof(struct request));

    request_of(task)->http = http;
    task_run(task, dispatch);
}

static enum step dispatch(struct task *task)
{
    struct request *request = request_of(task);
    struct text path = http_path(request->http);

    if (lacks_slash(path))
        return add_slash(task);
    request->route = find_route(path);
    if (request->route == NULL)
        request->route = media_route(task->env, path);
    if (request->route == NULL)
        return reply_refused(task, 404, "Not found", NULL);
    if (!allows(request->route, http_method_name(request->http)))
        return refuse_method(task);
    if (request->route->access == ACCESS_LOGIN)
        return auth_require_login(task);
    return request->route->handle(task);
}

/*
 * A POST where only GET makes sense is what the Django server's cross-site
 * check refused, with 403 (R60); clients of other methods get an Allow.
 */
static enum step refuse_method(struct task *task)
{
    const struct request *request = request_of(task);

    if (http_method(request->http) == HTTP_POST)
        return reply_refused(task, 403, "Forbidden", NULL);
    return reply_refused(task, 405, "Method not allowed",
                         request->route->methods);
}

/* R31: with the query kept, whatever the method. */
static enum step add_slash(struct task *task)
{
    const struct http_request *http = request_of(task)->http;
    struct text path = http_path(http);
    struct text query = http_query(http);
    const char *location =
        arena_printf(task->arena, "%.*s/%s%.*s", TEXT_ARGUMENTS(path),
                     query.size > 0 ? "?" : "", TEXT_ARGUMENTS(query));

    return reply_redirect(task, 301, location);
}

static const struct route *find_route(struct text path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        if (text_equal_string(path, routes[i].path))
            return &routes[i];
    }
    return NULL;
}

static bool lacks_slash(struct text path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        size_t size = strlen(routes[i].path) - 1;

        if (path.size == size && memcmp(path.data, routes[i].path, size) == 0)
            return true;
    }
    return false;
}

/* Is the method one of the comma-separated list? */
static bool allows(const struct route *route, const char *method)
{
    size_t size = strlen(method);
    const char *place = route->methods;

    while ((place = strstr(place, method)) != NULL) {
        bool starts = place == route->methods || place[-1] == ' ';

        if (starts && (place[size] == ',' || place[size] == '\0'))
            return true;
        place += size;
    }
    return false;
}

/*
 * A test program with one server for all its tests.
 */
#include "tests/support/service_story.h"

#include "server/base/json.h"
#include "tests/support/http_write.h"

#include <unistd.h>

/* Of "password", by one iteration. */
#define CHEAP_HASH                                                             \
    "pbkdf2_sha256$1$salt$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs="

struct service *service;
struct http_client *client;
struct arena *scratch;

static const struct service_settings *settings_of_all;
static const struct db_settings *database;

static void start_all(void);
static void stop_all(void);
static void start_one(void);
static void stop_one(void);
static const struct reply *post(const char *path, const char *header,
                                const char *body);

int service_story_run(const struct story *story,
                      const struct service_settings *settings)
{
    struct story whole = *story;

    settings_of_all = settings;
    whole.before_all = start_all;
    whole.after_all = stop_all;
    whole.before_each = start_one;
    whole.after_each = stop_one;
    return story_run(&whole);
}

void own_service_begin(const struct service_settings *settings)
{
    db_library_start();
    scratch = arena_new();
    service = service_new(settings);
    add_user("lms");
    service_serve(service);
    client = http_client_new(service_port(service));
    log_in(client);
}

void own_service_end(void)
{
    http_client_free(client);
    service_stop(service);
    arena_free(scratch);
    db_library_stop();
}

const struct db_settings *story_database(void)
{
    return database;
}

void add_user(const char *name)
{
    mariadb_run("INSERT INTO auth_user (password, username, email, first_name,"
                " last_name, is_superuser, is_staff, is_active, date_joined)"
                " VALUES ('" CHEAP_HASH "', '%s', '', '', '', 0, 0, 1,"
                " UTC_TIMESTAMP(6))",
                name);
}

void log_in(struct http_client *speaker)
{
    expect_reply(http_post_form(speaker, "/xqueue/login/",
                                HTTP_FORM({"username", "lms", NULL},
                                          {"password", "password", NULL})),
                 0, "\"Logged in\"");
}

const char *lms_header(const char *queue, const char *url)
{
    static unsigned count;

    if (url == NULL)
        url = arena_printf(scratch, "http://127.0.0.1:1/%d/%u", (int)getpid(),
                           ++count);
    return arena_printf(scratch,
                        "{\"lms_callback_url\": \"%s\", \"lms_key\": \"%u\","
                        " \"queue_name\": \"%s\"}",
                        url, ++count, queue);
}

const struct reply *lms_submit(const char *header, const char *body)
{
    return post("/xqueue/submit/", header, body);
}

const struct reply *grader_put_result(const char *header, const char *body)
{
    return post("/xqueue/put_result/", header, body);
}

const struct reply *get_queuelen(const char *queue)
{
    return http_get(client,
                    arena_printf(scratch, "/xqueue/get_queuelen/?queue_name=%s",
                                 encoded(queue)));
}

const struct reply *get_submission(const char *queue)
{
    return http_get(
        client, arena_printf(scratch, "/xqueue/get_submission/?queue_name=%s",
                             encoded(queue)));
}

struct pulled grader_pull(const char *queue)
{
    return read_pulled(get_submission(queue));
}

struct pulled read_pulled(const struct reply *reply)
{
    const struct json_value *answer;
    const struct json_value *content;
    const struct json_value *header;
    struct pulled pulled;

    expect_status(reply, 200, NULL);
    ck_assert(json_parse_object(scratch, reply->body, &answer));
    ck_assert_msg(json_parse_object(scratch,
                                    json_text(json_get(answer, "content")),
                                    &content),
                  "%.*s", TEXT_ARGUMENTS(reply->body));
    pulled.header =
        arena_string(scratch, json_text(json_get(content, "xqueue_header")));
    pulled.body = json_text(json_get(content, "xqueue_body"));
    pulled.files = json_text(json_get(content, "xqueue_files"));
    ck_assert(json_parse_object(scratch, text_of(pulled.header), &header));
    ck_assert(json_integer(json_get(header, "submission_id"), &pulled.id));
    pulled.key =
        arena_string(scratch, json_text(json_get(header, "submission_key")));
    return pulled;
}

struct pulled submit_and_pull(const char *queue)
{
    expect_status(lms_submit(lms_header(queue, NULL), "body"), 200, NULL);
    return grader_pull(queue);
}

void submit_and_answer(const char *url, const char *result)
{
    struct pulled pulled;

    expect_status(lms_submit(lms_header("test-pull", url), "body"), 200, NULL);
    pulled = grader_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, result), 0, "\"\"");
}

const char *encoded(const char *text)
{
    struct buffer form = {NULL, 0, 0};
    const char *copy;

    http_write_form(&form, HTTP_FORM({"", text, NULL}));
    copy = arena_strdup(scratch, form.data + 1);
    buffer_free(&form);
    return copy;
}

static void start_all(void)
{
    struct service_settings settings;

    if (settings_of_all->owns_database)
        mariadb_start_own();
    else
        mariadb_start();
    db_library_start();
    scratch = arena_new();
    database = mariadb_database();
    settings = *settings_of_all;
    settings.database = database;
    service = service_new(&settings);
    add_user("lms");
    service_serve(service);
    arena_free(scratch);
    db_library_stop();
}

static void stop_all(void)
{
    if (service != NULL)
        service_stop(service);
    mariadb_stop();
}

static void start_one(void)
{
    db_library_start();
    scratch = arena_new();
    client = http_client_new(service_port(service));
}

static void stop_one(void)
{
    http_client_free(client);
    arena_free(scratch);
    db_library_stop();
}

static const struct reply *post(const char *path, const char *header,
                                const char *body)
{
    return http_post_form(client, path,
                          HTTP_FORM({"xqueue_header", header, NULL},
                                    {"xqueue_body", body, NULL}));
}

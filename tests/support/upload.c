/*
 * Submissions with files, and what a grader gets of them.
 */
#include "tests/support/upload.h"

#include "server/base/buffer.h"
#include "server/base/json.h"
#include "tests/support/service_story.h"

#include <stdlib.h>
#include <string.h>

#define BOUNDARY "a-boundary-of-the-tests"
#define CONTENT_TYPE                                                           \
    "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"

static struct text make_form(const char *header, const char *body,
                             const struct upload *uploads, size_t count);
static void append_part(struct buffer *body, const char *name, bool is_file,
                        struct text content);
static void count_one(struct text key, const struct json_value *value,
                      void *count);

const struct reply *lms_upload(const char *header, const char *body,
                               const struct upload *uploads, size_t count)
{
    return http_send(client,
                     &(struct http_message){
                         .method = "POST",
                         .path = "/xqueue/submit/",
                         .fields = CONTENT_TYPE,
                         .body = make_form(header, body, uploads, count),
                     });
}

void lms_upload_begin(const char *header, const char *body,
                      const struct upload *uploads, size_t count)
{
    const struct text form = make_form(header, body, uploads, count);

    ck_assert(http_send_bytes(
        client,
        text_of(arena_printf(scratch,
                             "POST /xqueue/submit/ HTTP/1.1\r\nHost: h\r\n"
                             "Cookie: sessionid=%s\r\n" CONTENT_TYPE
                             "Content-Length: %zu\r\n\r\n",
                             http_cookie(client, "sessionid"), form.size))));
    ck_assert(http_send_bytes(client, form));
}

/* In `scratch`. */
static struct text make_form(const char *header, const char *body,
                             const struct upload *uploads, size_t count)
{
    struct buffer form = {NULL, 0, 0};
    struct text copy;

    append_part(&form, "xqueue_header", false, text_of(header));
    append_part(&form, "xqueue_body", false, text_of(body));
    for (size_t i = 0; i < count; i++)
        append_part(&form, uploads[i].name, true, uploads[i].content);
    buffer_append_string(&form, "--" BOUNDARY "--\r\n");
    copy = arena_copy(scratch, buffer_text(&form));
    buffer_free(&form);
    return copy;
}

/* As python-requests writes it: no type. */
static void append_part(struct buffer *body, const char *name, bool is_file,
                        struct text content)
{
    buffer_printf(body,
                  "--" BOUNDARY "\r\n"
                  "Content-Disposition: form-data; name=\"%s\"",
                  name);
    if (is_file)
        buffer_printf(body, "; filename=\"%s\"", name);
    buffer_append_string(body, "\r\n\r\n");
    buffer_append_text(body, content);
    buffer_append_string(body, "\r\n");
}

void expect_files(struct text files, const struct upload *uploads, size_t count)
{
    const struct json_value *map;
    size_t found = 0;

    ck_assert_msg(json_parse_object(scratch, files, &map), "%.*s",
                  TEXT_ARGUMENTS(files));
    json_each(map, count_one, &found);
    ck_assert_uint_eq(found, count);
    for (size_t i = 0; i < count; i++) {
        const struct reply *reply = follow(link_of(files, uploads[i].name));

        ck_assert_msg(reply->status == 200, "%s: %d", uploads[i].name,
                      reply->status);
        ck_assert_msg(text_equal(reply->body, uploads[i].content), "%s",
                      uploads[i].name);
    }
}

static void count_one(struct text key, const struct json_value *value,
                      void *count)
{
    (void)key;
    (void)value;
    ++*(size_t *)count;
}

const char *link_of(struct text files, const char *name)
{
    const struct json_value *map;
    const struct json_value *link;

    ck_assert(json_parse_object(scratch, files, &map));
    link = json_get(map, name);
    ck_assert_msg(link != NULL, "no %s in %.*s", name, TEXT_ARGUMENTS(files));
    return arena_string(scratch, json_text(link));
}

const struct reply *follow(const char *link)
{
    const char *base = arena_printf(scratch, "http://127.0.0.1:%u/",
                                    (unsigned)service_port(service));

    ck_assert_msg(strncmp(link, base, strlen(base)) == 0, "%s", link);
    return http_get(client, link + strlen(base) - 1);
}

struct upload *many_uploads(size_t count)
{
    struct upload *uploads = arena_alloc(scratch, count * sizeof *uploads);

    for (size_t i = 0; i < count; i++) {
        uploads[i].name = arena_printf(
            scratch, "solution of a long exercise, part %zu \xC3\xA9.py", i);
        uploads[i].content =
            text_of(arena_printf(scratch, "print(%zu)\n", i * i));
    }
    return uploads;
}

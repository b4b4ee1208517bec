/*
 * Requests as text. A head is written in one go, because the load must cost
 * little.
 */
#include "tests/bench/support/requests.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* In the order in which requests sends them. */
#define HEAD                                                                   \
    "%s %s HTTP/1.1\r\n"                                                       \
    "Host: 127.0.0.1:18040\r\n"                                                \
    "User-Agent: python-requests/2.33.1\r\n"                                   \
    "Accept-Encoding: gzip, deflate\r\n"                                       \
    "Accept: */*\r\n"                                                          \
    "Connection: keep-alive\r\n"                                               \
    "%s%s%s"
#define FORM                                                                   \
    "Content-Length: %zu\r\n"                                                  \
    "Content-Type: application/x-www-form-urlencoded\r\n\r\n"

enum { HEADER_SIZE = 1024 };

static void write_form_head(struct buffer *request, const char *path,
                            const char *cookie, size_t size);
static size_t encode(char *out, size_t room, struct text text);

void write_get(struct buffer *request, const char *path, const char *cookie)
{
    bool has_cookie = cookie != NULL && cookie[0] != '\0';

    buffer_printf(request, HEAD "\r\n", "GET", path,
                  has_cookie ? "Cookie: sessionid=" : "",
                  has_cookie ? cookie : "", has_cookie ? "\r\n" : "");
}

void write_post(struct buffer *request, const char *path, const char *cookie,
                struct text form)
{
    write_form_head(request, path, cookie, form.size);
    buffer_append_text(request, form);
}

void write_submit(struct buffer *request, const char *cookie,
                  const struct submission *submission)
{
    static const char body_name[] = "&xqueue_body=";
    char plain[HEADER_SIZE];
    char form[HEADER_SIZE * 2] = "xqueue_header=";
    size_t size = strlen(form);

    snprintf(plain, sizeof plain,
             "{\"lms_callback_url\": \"%s/%lld\","
             " \"lms_key\": \"%032llx\", \"queue_name\": \"%s\"}",
             submission->origin, (long long)submission->number,
             (unsigned long long)submission->number, submission->queue);
    size += encode(form + size, sizeof form - size, text_of(plain));
    write_form_head(request, "/xqueue/submit/", cookie,
                    size + strlen(body_name) + submission->body.size);
    buffer_append(request, form, size);
    buffer_append_string(request, body_name);
    buffer_append_text(request, submission->body);
}

void write_put_result(struct buffer *request, const char *cookie,
                      struct text header, struct text result)
{
    struct buffer form = {NULL, 0, 0};

    buffer_append_string(&form, "xqueue_header=");
    write_encoded(&form, header);
    buffer_append_string(&form, "&xqueue_body=");
    write_encoded(&form, result);
    write_post(request, "/xqueue/put_result/", cookie, buffer_text(&form));
    buffer_free(&form);
}

void write_encoded(struct buffer *form, struct text text)
{
    buffer_reserve(form, 3 * text.size);
    form->size += encode(form->data + form->size, 3 * text.size + 1, text);
    form->data[form->size] = '\0';
}

static void write_form_head(struct buffer *request, const char *path,
                            const char *cookie, size_t size)
{
    bool has_cookie = cookie != NULL && cookie[0] != '\0';

    buffer_printf(request, HEAD FORM, "POST", path,
                  has_cookie ? "Cookie: sessionid=" : "",
                  has_cookie ? cookie : "", has_cookie ? "\r\n" : "", size);
}

/* As urlencode() does; gives the size. What has no room is left out. */
static size_t encode(char *out, size_t room, struct text text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;

    for (size_t i = 0; i < text.size && size + 3 <= room; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (isalnum(byte) || (byte != '\0' && strchr("_.-~", byte) != NULL)) {
            out[size++] = (char)byte;
        } else if (byte == ' ') {
            out[size++] = '+';
        } else {
            out[size++] = '%';
            out[size++] = digits[byte >> 4];
            out[size++] = digits[byte & 15];
        }
    }
    return size;
}

/*
 * Requests are put together of pieces that are encoded once.
 */
#include "tests/bench/support/cycle_words.h"

#include "server/base/json.h"
#include "server/base/memory.h"
#include "server/deliver/form_write.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded\r\n"

enum { NUMBER_SIZE = 24 };

struct cycle_words {
    struct buffer body;   /* of a submission */
    struct buffer result; /* of a grader */
    struct buffer pull;   /* the whole request */
    struct buffer submit_head;
    struct buffer result_head;
    /* The form of a submission around its number, which is there twice. */
    struct buffer submit[3];
    struct buffer header[3];   /* the header in it, not encoded */
    struct buffer result_tail; /* the field behind the header */
};

static void fill(struct buffer *text, const char *piece, size_t size);
static void write_heads(struct cycle_words *words, const char *cookie,
                        const char *queue);
static void write_submit(struct cycle_words *words);
static void encode(struct buffer *form, const struct buffer *value);
static void append_field(struct buffer *form, const char *name,
                         const struct buffer *value);
static void append_body_size(struct buffer *request, const struct buffer *head,
                             size_t size);
static const char *value_behind(const char *text, const char *name);

struct cycle_words *cycle_words_new(const struct cycle_words_settings *settings)
{
    struct cycle_words *words = xcalloc(1, sizeof *words);

    fill(&words->body, "def square(x):\n    return x * x\n",
         settings->body_bytes);
    buffer_append_string(&words->result,
                         "{\"correct\": true, \"score\": 1, \"msg\": \"<p>");
    fill(&words->result, "Well done. ", settings->reply_bytes);
    buffer_append_string(&words->result, "</p>\"}");
    buffer_printf(&words->header[0],
                  "{\"lms_callback_url\": \"http://127.0.0.1:%u/",
                  (unsigned)settings->lms_port);
    buffer_append_string(&words->header[1], "\", \"lms_key\": \"");
    buffer_printf(&words->header[2], "\", \"queue_name\": \"%s\"}",
                  settings->queue);
    write_heads(words, settings->cookie, settings->queue);
    write_submit(words);
    append_field(&words->result_tail, "&xqueue_body", &words->result);
    return words;
}

void cycle_words_free(struct cycle_words *words)
{
    buffer_free(&words->body);
    buffer_free(&words->result);
    buffer_free(&words->pull);
    buffer_free(&words->submit_head);
    buffer_free(&words->result_head);
    for (size_t i = 0; i < 3; i++) {
        buffer_free(&words->submit[i]);
        buffer_free(&words->header[i]);
    }
    buffer_free(&words->result_tail);
    free(words);
}

void cycle_write_submit(const struct cycle_words *words, struct buffer *request,
                        int64_t number)
{
    const struct buffer *pieces = words->submit;
    char digits[NUMBER_SIZE];
    size_t size =
        (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number);

    append_body_size(request, &words->submit_head,
                     pieces[0].size + pieces[1].size + pieces[2].size +
                         2 * size);
    buffer_append_text(request, buffer_text(&pieces[0]));
    buffer_append(request, digits, size);
    buffer_append_text(request, buffer_text(&pieces[1]));
    buffer_append(request, digits, size);
    buffer_append_text(request, buffer_text(&pieces[2]));
}

void cycle_write_pull(const struct cycle_words *words, struct buffer *request)
{
    buffer_append_text(request, buffer_text(&words->pull));
}

void cycle_write_result(const struct cycle_words *words, struct buffer *request,
                        const char *header)
{
    append_body_size(request, &words->result_head,
                     strlen("xqueue_header=") + strlen(header) +
                         words->result_tail.size);
    buffer_append_string(request, "xqueue_header=");
    buffer_append_string(request, header);
    buffer_append_text(request, buffer_text(&words->result_tail));
}

bool cycle_read_pulled(struct text body, char *ret_header, size_t size)
{
    const char *id = value_behind(body.data, "submission_id");
    const char *key = value_behind(body.data, "submission_key");
    int length;

    if (id == NULL || key == NULL)
        return false;
    length =
        snprintf(ret_header, size,
                 "%%7B%%22submission_id%%22%%3A+%.*s%%2C+%%22submission_key%%22"
                 "%%3A+%%22%.*s%%22%%7D",
                 (int)strspn(id, "0123456789"), id,
                 (int)strspn(key, "0123456789abcdef"), key);
    return length > 0 && (size_t)length < size;
}

void cycle_write_pulled(const struct cycle_words *words, struct buffer *json)
{
    struct buffer content = {NULL, 0, 0};

    buffer_append_string(&content,
                         "{\"xqueue_header\": \"{\\\"submission_id\\\": 123456,"
                         " \\\"submission_key\\\":"
                         " \\\"0123456789abcdef0123456789abcdef\\\"}\","
                         " \"xqueue_body\": ");
    json_append_string(&content, buffer_text(&words->body));
    buffer_append_string(&content, ", \"xqueue_files\": \"{}\"}");
    buffer_append_string(json, "{\"return_code\": 0, \"content\": ");
    json_append_string(json, buffer_text(&content));
    buffer_append_char(json, '}');
    buffer_free(&content);
}

bool cycle_is_good(const struct http_load_reply *reply)
{
    return reply->status == 200 &&
           text_starts_with(reply->body, "{\"return_code\": 0,");
}

void cycle_write_callback(const struct cycle_words *words, struct buffer *form,
                          int64_t number)
{
    const struct buffer *pieces = words->header;
    struct buffer header = {NULL, 0, 0};

    buffer_printf(&header, "%s%lld%s%lld%s", pieces[0].data, (long long)number,
                  pieces[1].data, (long long)number, pieces[2].data);
    form_write_field(form, "xqueue_header", buffer_text(&header));
    form_write_field(form, "xqueue_body", buffer_text(&words->result));
    buffer_free(&header);
}

void cycle_write_push(const struct cycle_words *words, struct buffer *json)
{
    buffer_append_string(json, "{\"xqueue_body\": ");
    json_append_string(json, buffer_text(&words->body));
    buffer_append_string(json, ", \"xqueue_files\": \"{}\"}");
}

/* Until it has that size. */
static void fill(struct buffer *text, const char *piece, size_t size)
{
    while (text->size < size) {
        size_t left = size - text->size;

        buffer_append(text, piece, left < strlen(piece) ? left : strlen(piece));
    }
}

static void write_heads(struct cycle_words *words, const char *cookie,
                        const char *queue)
{
    char *session = cookie[0] == '\0'
                        ? xstrdup("")
                        : xasprintf("Cookie: sessionid=%s\r\n", cookie);

    buffer_printf(&words->submit_head,
                  "POST /xqueue/submit/ HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s",
                  session, FORM_TYPE);
    buffer_printf(&words->result_head,
                  "POST /xqueue/put_result/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                  "%s%s",
                  session, FORM_TYPE);
    buffer_printf(&words->pull,
                  "GET /xqueue/get_submission/?queue_name=%s HTTP/1.1\r\n"
                  "Host: 127.0.0.1\r\n%s\r\n",
                  queue, session);
    free(session);
}

static void write_submit(struct cycle_words *words)
{
    buffer_append_string(&words->submit[0], "xqueue_header=");
    for (size_t i = 0; i < 3; i++)
        encode(&words->submit[i], &words->header[i]);
    append_field(&words->submit[2], "&xqueue_body", &words->body);
}

/* The value alone, appended. */
static void encode(struct buffer *form, const struct buffer *value)
{
    struct buffer field = {NULL, 0, 0};

    form_write_field(&field, "", buffer_text(value));
    buffer_append(form, field.data + 1, field.size - 1);
    buffer_free(&field);
}

static void append_field(struct buffer *form, const char *name,
                         const struct buffer *value)
{
    buffer_append_string(form, name);
    buffer_append_char(form, '=');
    encode(form, value);
}

static void append_body_size(struct buffer *request, const struct buffer *head,
                             size_t size)
{
    char line[64];
    int length =
        snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", size);

    buffer_reserve(request, head->size + (size_t)length + size);
    buffer_append_text(request, buffer_text(head));
    buffer_append(request, line, (size_t)length);
}

/* The letters and digits that follow; whatever quotes stand between. */
static const char *value_behind(const char *text, const char *name)
{
    const char *found = strstr(text, name);

    if (found == NULL)
        return NULL;
    found += strlen(name);
    while (*found != '\0' && !isalnum((unsigned char)*found))
        found++;
    return *found == '\0' ? NULL : found;
}

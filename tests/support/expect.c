/*
 * Comparing replies.
 */
#include "tests/support/expect.h"

#include "server/base/memory.h"

#include <stdlib.h>

const char *expect_reply_problem(const struct reply *reply, int code,
                                 const char *content)
{
    char *body =
        xasprintf("{\"return_code\": %d, \"content\": %s}", code, content);
    const char *problem = expect_status_problem(reply, 200, body);

    if (problem == NULL)
        problem = expect_field_problem(reply, "Content-Type",
                                       "text/html; charset=utf-8");
    free(body);
    return problem;
}

const char *expect_status_problem(const struct reply *reply, int status,
                                  const char *body)
{
    if (reply->status == 0 && status != 0)
        return xasprintf("no reply: %s", reply->problem);
    if (reply->status != status ||
        (body != NULL && !text_equal_string(reply->body, body)))
        return xasprintf("expected %d %s\nbut got  %d %.*s", status,
                         body == NULL ? "and any body" : body, reply->status,
                         TEXT_ARGUMENTS(reply->body));
    return NULL;
}

const char *expect_field_problem(const struct reply *reply, const char *name,
                                 const char *value)
{
    struct text found = reply_field(reply, name);

    if (value == NULL && !text_is_absent(found))
        return xasprintf("did not expect %s: %.*s", name,
                         TEXT_ARGUMENTS(found));
    if (value != NULL && text_is_absent(found))
        return xasprintf("no field %s in\n%.*s", name,
                         TEXT_ARGUMENTS(reply->head));
    if (value != NULL && !text_equal_string(found, value))
        return xasprintf("expected %s: %s\nbut got  %s: %.*s", name, value,
                         name, TEXT_ARGUMENTS(found));
    return NULL;
}

const char *expect_text_problem(struct text text, const char *string)
{
    if (text_is_absent(text))
        return xasprintf("expected %s\nbut got  nothing", string);
    if (!text_equal_string(text, string))
        return xasprintf("expected %s\nbut got  %.*s", string,
                         TEXT_ARGUMENTS(text));
    return NULL;
}

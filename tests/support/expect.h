/*
 * What a reply must be, byte for byte. A test that finds something else fails
 * at its own line and shows both.
 */
#ifndef XQUEUE_TESTS_EXPECT_H
#define XQUEUE_TESTS_EXPECT_H

#include "tests/support/http_client.h"

#include <check.h>

/*
 * An answer of the protocol: status 200, text/html in UTF-8, and
 * {"return_code": CODE, "content": CONTENT}. `content` is the JSON text as it
 * is on the wire: expect_reply(reply, 0, "\"Logged in\""), (reply, 0, "17").
 */
#define expect_reply(reply, code, content)                                     \
    EXPECT_NO_PROBLEM(expect_reply_problem((reply), (code), (content)))

/* Any status; `body` NULL: whatever it is. */
#define expect_status(reply, status, body)                                     \
    EXPECT_NO_PROBLEM(expect_status_problem((reply), (status), (body)))

/* The field is there with this value; `value` NULL: it is not there. */
#define expect_field(reply, name, value)                                       \
    EXPECT_NO_PROBLEM(expect_field_problem((reply), (name), (value)))

/* Two texts are the same bytes. */
#define expect_text(text, string)                                              \
    EXPECT_NO_PROBLEM(expect_text_problem((text), (string)))

/* The functions behind: NULL, or what is wrong (malloc'd, never freed). */
const char *expect_reply_problem(const struct reply *reply, int code,
                                 const char *content);
const char *expect_status_problem(const struct reply *reply, int status,
                                  const char *body);
const char *expect_field_problem(const struct reply *reply, const char *name,
                                 const char *value);
const char *expect_text_problem(struct text text, const char *string);

#define EXPECT_NO_PROBLEM(call)                                                \
    do {                                                                       \
        const char *expect_problem = (call);                                   \
                                                                               \
        ck_assert_msg(expect_problem == NULL, "%s", expect_problem);           \
    } while (0)

#endif

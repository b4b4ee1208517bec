/*
 * Tests of server/http/gate.c.
 */
#include "tests/support/gate_story.h"

const struct gate_limits limits = {.max_fields = 64, .max_target_bytes = 8192};
struct gate_field fields[MAX_FIELDS];
struct gate_request request;

void gate_story_begin(void)
{
    fields[0] = (struct gate_field){TEXT("Host"), TEXT("localhost:18040")};
    request = (struct gate_request){
        .method = TEXT("GET"),
        .major = 1,
        .minor = 1,
        .target = TEXT("/xqueue/status/"),
        .fields = fields,
        .field_count = 1,
    };
}

void add_field(const char *name, const char *value)
{
    ck_assert_uint_lt(request.field_count, MAX_FIELDS);
    fields[request.field_count++] =
        (struct gate_field){text_of(name), text_of(value)};
}

void expect_verdict(int status)
{
    struct gate_verdict verdict = gate_judge(&request, &limits);

    ck_assert_int_eq(verdict.status, status);
    ck_assert((verdict.reason == NULL) == (status == 0));
}

void expect_with(const char *name, const char *value, int status)
{
    add_field(name, value);
    expect_verdict(status);
    request.field_count--;
}

/*
 * Request heads, as raw bytes for the watcher and cut into lines for the
 * gate. Promises: the watcher says the same however its bytes are split; what
 * it calls complete holds no NUL and ends in an empty line; what the gate lets
 * through has one unambiguous framing.
 */
#include "server/http/gate.h"
#include "server/http/head_watch.h"
#include "tests/fuzz/fuzz.h"

enum { LIMIT = 512, MAX_FIELDS = 16 };

struct outcome {
    enum head_state state;
    size_t consumed;
    int status;
};

/* In pieces of `step` bytes, or of changing sizes when `step` is 0. */
static struct outcome watch_in_steps(const uint8_t *data, size_t size,
                                     size_t step)
{
    struct head_watch watch;
    struct outcome outcome = {HEAD_WAITING, 0, 0};
    size_t position = 0;

    head_watch_init(&watch, LIMIT);
    while (position < size) {
        size_t piece = step > 0 ? step : 1 + data[position] % 7;
        size_t consumed;

        if (piece > size - position)
            piece = size - position;
        outcome.state =
            head_watch_feed(&watch, data + position, piece, &consumed);
        outcome.consumed += consumed;
        position += piece;
    }
    outcome.status = head_watch_refusal(&watch).status;
    return outcome;
}

static void check_watch(const uint8_t *data, size_t size)
{
    struct outcome whole = watch_in_steps(data, size, size);

    for (size_t step = 0; step < 4; step++) {
        struct outcome split = watch_in_steps(data, size, step);

        PROMISE(split.state == whole.state);
        PROMISE(split.consumed == whole.consumed);
        PROMISE(split.status == whole.status);
    }
    PROMISE((whole.status != 0) == (whole.state == HEAD_BAD));
    PROMISE(whole.consumed <= LIMIT);
    if (whole.state != HEAD_COMPLETE)
        return;
    PROMISE(memchr(data, '\0', whole.consumed) == NULL);
    PROMISE(memcmp(data + whole.consumed - 4, "\r\n\r\n", 4) == 0);
}

/* First line: method, target, version digits; then fields; body size last. */
static void fill_request(struct text input, struct gate_request *request,
                         struct gate_field *fields)
{
    struct text line = first_line(input, &input);

    request->major = line.size > 0 ? line.data[0] - '0' : 1;
    request->minor = line.size > 1 ? line.data[1] - '0' : 1;
    request->body_size = line.size > 2 ? (uint8_t)line.data[2] - '0' : 0;
    request->method = first_line(input, &input);
    request->target = first_line(input, &input);
    request->fields = fields;
    while (input.size > 0 && request->field_count < MAX_FIELDS) {
        struct gate_field *field = &fields[request->field_count++];
        const char *colon;

        line = first_line(input, &input);
        colon = line.size == 0 ? NULL : memchr(line.data, ':', line.size);
        field->name = line;
        field->value = (struct text){line.data + line.size, 0};
        if (colon != NULL) {
            field->name.size = (size_t)(colon - line.data);
            field->value =
                (struct text){colon + 1, line.size - field->name.size - 1};
        }
    }
}

static size_t count_of(const struct gate_request *request, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->field_count; i++)
        if (text_equal_ignoring_case(request->fields[i].name, name))
            count++;
    return count;
}

static void check_gate(struct text input)
{
    static const struct gate_limits limits = {.max_fields = 12,
                                              .max_target_bytes = 100};
    struct gate_field fields[MAX_FIELDS];
    struct gate_request request = {.field_count = 0};
    struct gate_verdict verdict;

    fill_request(input, &request, fields);
    verdict = gate_judge(&request, &limits);
    PROMISE((verdict.status == 0) == (verdict.reason == NULL));
    if (verdict.status != 0) {
        PROMISE(verdict.status >= 400 && verdict.status <= 505);
        return;
    }
    PROMISE(request.major == 1 && (request.minor == 0 || request.minor == 1));
    PROMISE(request.field_count <= limits.max_fields);
    PROMISE(request.target.size > 0 && request.target.size <= 100);
    PROMISE(memchr(request.target.data, ' ', request.target.size) == NULL);
    PROMISE(count_of(&request, "Content-Length") +
                count_of(&request, "Transfer-Encoding") <=
            1);
    PROMISE(request.body_size == 0 ||
            count_of(&request, "Content-Length") +
                    count_of(&request, "Transfer-Encoding") ==
                1);
    PROMISE(count_of(&request, "Host") + (request.minor == 0) >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_watch(data, size);
    check_gate((struct text){(const char *)data, size});
    return 0;
}

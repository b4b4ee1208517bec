/*
 * The gate: one check after the other, the first refusal is the answer.
 */
#include "server/http/gate.h"

#include <string.h>

static struct gate_verdict check_version(const struct gate_request *request);
static struct gate_verdict check_target(struct text target, size_t limit);
static struct gate_verdict check_fields(const struct gate_request *request,
                                        size_t limit);
static struct gate_verdict check_once(const struct gate_request *request);
static struct gate_verdict check_host(const struct gate_request *request);
static struct gate_verdict check_expectation(const struct gate_request *r);
static struct gate_verdict check_body(const struct gate_request *request);
static struct gate_verdict check_framing(const struct gate_request *request,
                                         bool *ret_is_chunked);
static struct gate_verdict check_length(struct text length, size_t body_size);

static bool is_http_1_1(const struct gate_request *request);
static bool may_have_body(struct text method);
static bool path_hides_nul(struct text target);
static bool is_token(struct text name);
static bool is_value(struct text value);
static bool is_host(struct text value);
static bool is_port(struct text port);
static size_t count_of(const struct gate_request *request, const char *name);
static struct text value_of(const struct gate_request *request,
                            const char *name);
static bool is_one_of(char byte, const char *allowed);
static bool is_alphanumeric(char byte);

static const struct gate_verdict acceptable = {0, NULL};

#define REFUSE(status, reason) ((struct gate_verdict){(status), (reason)})

struct gate_verdict gate_judge(const struct gate_request *request,
                               const struct gate_limits *limits)
{
    struct gate_verdict verdict = check_version(request);

    if (verdict.status == 0)
        verdict = check_target(request->target, limits->max_target_bytes);
    if (verdict.status == 0)
        verdict = check_fields(request, limits->max_fields);
    if (verdict.status == 0)
        verdict = check_once(request);
    if (verdict.status == 0)
        verdict = check_host(request);
    if (verdict.status == 0)
        verdict = check_body(request);
    if (verdict.status == 0)
        verdict = check_expectation(request);
    return verdict;
}

static struct gate_verdict check_version(const struct gate_request *request)
{
    int major = request->major;
    int minor = request->minor;

    if (major == 1 && (minor == 0 || minor == 1))
        return acceptable;
    if (major >= 0 && major <= 9 && minor >= 0 && minor <= 9)
        return REFUSE(505, "HTTP version not supported");
    return REFUSE(400, "Malformed HTTP version");
}

/* Percent signs in the path pass: no route has one, so they end in a 404. */
static struct gate_verdict check_target(struct text target, size_t limit)
{
    if (target.size > limit)
        return REFUSE(414, "Request target too long");
    if (!text_starts_with(target, "/"))
        return REFUSE(400, "Request target must be a path");
    for (size_t i = 0; i < target.size; i++)
        if (target.data[i] <= ' ' || target.data[i] > '~' ||
            target.data[i] == '#')
            return REFUSE(400, "Illegal byte in request target");
    if (path_hides_nul(target))
        return REFUSE(400, "NUL in request target");
    return acceptable;
}

static struct gate_verdict check_fields(const struct gate_request *request,
                                        size_t limit)
{
    if (request->field_count > limit)
        return REFUSE(431, "Too many request fields");
    for (size_t i = 0; i < request->field_count; i++) {
        if (!is_token(request->fields[i].name))
            return REFUSE(400, "Illegal field name");
        if (!is_value(request->fields[i].value))
            return REFUSE(400, "Illegal byte in field value");
    }
    return acceptable;
}

/* Fields of which two readers might choose different ones. */
static struct gate_verdict check_once(const struct gate_request *request)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding",
                                        "Content-Type", "Authorization",
                                        "Cookie"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (count_of(request, names[i]) > 1)
            return REFUSE(400, "Repeated request field");
    return acceptable;
}

static struct gate_verdict check_host(const struct gate_request *request)
{
    size_t count = count_of(request, "Host");

    if (count > 1 || (count == 0 && is_http_1_1(request)))
        return REFUSE(400, "Exactly one Host field is needed");
    if (count == 1 && !is_host(value_of(request, "Host")))
        return REFUSE(400, "Malformed Host field");
    return acceptable;
}

static struct gate_verdict check_body(const struct gate_request *request)
{
    bool is_chunked = false;
    struct text coding = value_of(request, "Content-Encoding");
    struct gate_verdict verdict = check_framing(request, &is_chunked);

    if (verdict.status != 0)
        return verdict;
    if (!may_have_body(request->method) &&
        (is_chunked || request->body_size > 0))
        return REFUSE(400, "Unexpected request body");
    if (!text_is_absent(coding) &&
        !text_equal_ignoring_case(coding, "identity"))
        return REFUSE(415, "Content-Encoding not supported");
    return acceptable;
}

static struct gate_verdict check_framing(const struct gate_request *request,
                                         bool *ret_is_chunked)
{
    struct text encoding = value_of(request, "Transfer-Encoding");
    struct text length = value_of(request, "Content-Length");

    if (!text_is_absent(encoding)) {
        if (!is_http_1_1(request) || !text_is_absent(length) ||
            !text_equal_ignoring_case(encoding, "chunked"))
            return REFUSE(400, "Ambiguous Transfer-Encoding");
        *ret_is_chunked = true;
        return acceptable;
    }
    if (!text_is_absent(length))
        return check_length(length, request->body_size);
    if (request->body_size > 0)
        return REFUSE(400, "Body without a length");
    return acceptable;
}

/*
 * The announced length must be what was read: evhttp leaves the body of some
 * methods in its buffer, where it would pass for the next request.
 */
static struct gate_verdict check_length(struct text length, size_t body_size)
{
    int64_t number;

    if (length.size < 1 || length.size > 19)
        return REFUSE(400, "Malformed Content-Length");
    for (size_t i = 0; i < length.size; i++)
        if (length.data[i] < '0' || length.data[i] > '9')
            return REFUSE(400, "Malformed Content-Length");
    if (!text_to_integer(length, &number))
        return REFUSE(413, "Request body too large");
    if ((uint64_t)number != body_size)
        return REFUSE(400, "Unexpected request body");
    return acceptable;
}

/* HTTP/1.0 clients cannot expect anything, so theirs means nothing. */
static struct gate_verdict check_expectation(const struct gate_request *r)
{
    if (!is_http_1_1(r))
        return acceptable;
    for (size_t i = 0; i < r->field_count; i++)
        if (text_equal_ignoring_case(r->fields[i].name, "Expect") &&
            !text_equal_ignoring_case(r->fields[i].value, "100-continue"))
            return REFUSE(417, "Expectation failed");
    return acceptable;
}

static bool is_http_1_1(const struct gate_request *request)
{
    return request->major == 1 && request->minor == 1;
}

static bool may_have_body(struct text method)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (text_equal_string(method, methods[i]))
            return true;
    return false;
}

static bool path_hides_nul(struct text target)
{
    for (size_t i = 0; i + 2 < target.size && target.data[i] != '?'; i++)
        if (memcmp(target.data + i, "%00", 3) == 0)
            return true;
    return false;
}

static bool is_token(struct text name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!is_alphanumeric(name.data[i]) &&
            !is_one_of(name.data[i], "!#$%&'*+-.^_`|~"))
            return false;
    return name.size > 0;
}

/* Anything but control characters; a tab is none. */
static bool is_value(struct text value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7F)
            return false;
    }
    return true;
}

/* name, name:port, [address] or [address]:port. */
static bool is_host(struct text value)
{
    bool is_bracketed = text_starts_with(value, "[");
    size_t size = is_bracketed ? 1 : 0;
    size_t name_start = size;

    while (size < value.size &&
           (is_alphanumeric(value.data[size]) ||
            is_one_of(value.data[size], is_bracketed ? ":.%" : "-._~")))
        size++;
    if (size == name_start)
        return false;
    if (is_bracketed) {
        if (size == value.size || value.data[size] != ']')
            return false;
        size++;
    }
    return is_port((struct text){value.data + size, value.size - size});
}

/* Nothing, or a colon and up to five digits. */
static bool is_port(struct text port)
{
    if (port.size == 0)
        return true;
    if (port.data[0] != ':' || port.size > 6)
        return false;
    for (size_t i = 1; i < port.size; i++)
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
    return true;
}

static size_t count_of(const struct gate_request *request, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->field_count; i++)
        if (text_equal_ignoring_case(request->fields[i].name, name))
            count++;
    return count;
}

static struct text value_of(const struct gate_request *request,
                            const char *name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (text_equal_ignoring_case(request->fields[i].name, name))
            return request->fields[i].value;
    return TEXT_ABSENT;
}

static bool is_one_of(char byte, const char *allowed)
{
    return byte != '\0' && strchr(allowed, byte) != NULL;
}

static bool is_alphanumeric(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

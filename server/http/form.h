/*
 * Fields of a query string or of a form body, as Django reads them: '+' is a
 * space, a bad %-escape stays as it is, bad UTF-8 becomes U+FFFD, a field
 * without '=' has an empty value, the last of duplicates wins. Pure functions;
 * results live in the arena.
 */
#ifndef XQUEUE_HTTP_FORM_H
#define XQUEUE_HTTP_FORM_H

#include "server/base/arena.h"

enum form_status {
    FORM_OK,
    FORM_TOO_MANY,   /* fields, files or parts beyond the limit */
    FORM_MALFORMED,  /* a multipart body that is cut or ambiguous */
    FORM_UNSUPPORTED /* a charset other than UTF-8 */
};

struct form_limits {
    size_t max_fields; /* 1000 as Django */
    size_t max_files;  /* 100 as Django; duplicates count */
};

struct form_field {
    struct text name;
    struct text value;
};

struct form_file {
    struct text name;      /* the field name: the learner's; never empty */
    struct text file_name; /* last path component of the filename parameter */
    struct text content;   /* borrows from the body where it can */
};

struct form {
    struct form_field *fields;
    size_t field_count;
    struct form_file *files; /* no two of one name: the last has won */
    size_t file_count;
};

/* "a=1&b=2": a query string or an application/x-www-form-urlencoded body. */
enum form_status form_parse_urlencoded(struct arena *arena, struct text source,
                                       const struct form_limits *limits,
                                       struct form *ret_form) MUST_CHECK;

/*
 * A request body by its Content-Type: urlencoded, multipart/form-data, or
 * anything else, which is an empty form (as Django).
 */
enum form_status form_parse_body(struct arena *arena, struct text content_type,
                                 struct text body,
                                 const struct form_limits *limits,
                                 struct form *ret_form) MUST_CHECK;

/* The last value of that name; absent when there is none. */
struct text form_get(const struct form *form, const char *name);

#endif

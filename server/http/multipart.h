/*
 * multipart/form-data (RFC 7578, RFC 2046) with what Django 5.2 accepts on
 * top. Pure; one pass, no rescanning; results live in the arena or borrow
 * from the body.
 */
#ifndef XQUEUE_HTTP_MULTIPART_H
#define XQUEUE_HTTP_MULTIPART_H

#include "server/http/form.h"

/*
 * The boundary of a "multipart/form-data; boundary=..." content type; false
 * when there is none or it is not legal.
 */
bool multipart_boundary(struct arena *arena, struct text content_type,
                        struct text *ret_boundary) MUST_CHECK;

enum form_status multipart_parse(struct arena *arena, struct text boundary,
                                 struct text body,
                                 const struct form_limits *limits,
                                 struct form *ret_form) MUST_CHECK;

#endif

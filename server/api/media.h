/*
 * The files that are kept here: GET and HEAD of MEDIA_URL<queue>/<key>.
 */
#ifndef XQUEUE_API_MEDIA_H
#define XQUEUE_API_MEDIA_H

#include "server/api/route.h"
#include "server/base/text.h"

/* The route of such a path; NULL when it is none. */
const struct route *media_route(const struct env *env, struct text path);

#endif

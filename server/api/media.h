/*
 * The files that are kept here: GET and HEAD of MEDIA_URL<queue>/<key>.
 */
#ifndef XQUEUE_API_MEDIA_H
#define XQUEUE_API_MEDIA_H

#include "server/api/route.h"
#include "server/base/text.h"

/*
 * So many files are sent at once; who wants another one is asked to come
 * again. Each takes two pieces of memory (see media.c).
 */
enum { MEDIA_STREAMS = 64 };

/* The route of such a path; NULL when it is none. */
const struct route *media_route(const struct env *env, struct text path);

#endif

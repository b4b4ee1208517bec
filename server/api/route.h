/*
 * A route is an entry in the table of server/api/router.c.
 */
#ifndef XQUEUE_API_ROUTE_H
#define XQUEUE_API_ROUTE_H

#include "server/task/task.h"

enum route_access { ACCESS_OPEN, ACCESS_LOGIN };

struct route {
    const char *path; /* with the trailing slash */
    const char *name; /* the event word in the log */
    enum route_access access;
    const char *methods; /* as in Allow */
    task_step *handle;
};

#endif

/*
 * GET /xqueue/status/ - is the server there? No login, no database (R30).
 *
 * Health checks ask it without end, so a success is logged as debug only.
 */
#include "server/api/endpoints.h"
#include "server/api/reply.h"

enum step api_status(struct task *task)
{
    request_of(task)->is_routine = true;
    return reply_ok(task, text_of("OK"));
}

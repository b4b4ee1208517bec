/*
 * GET /xqueue/status/ - is the server there? No login, no database (R30).
 */
#include "server/api/endpoints.h"
#include "server/api/reply.h"

enum step api_status(struct task *task)
{
    return reply_ok(task, text_of("OK"));
}

/*
 * What the LMS is told about a submission that nobody could grade.
 */
#include "server/deliver/failure_message.h"

struct text failure_message(void)
{
    return text_of("{\"correct\": null, \"score\": 0, \"msg\":"
                   " \"<div class=\\\"capa_alert\\\">The grader could not"
                   " finish grading this submission. Please look it over and"
                   " submit it again. If it happens again, please tell the"
                   " course staff.</div>\"}");
}

/*
 * The first step of every endpoint, one line each.
 */
#ifndef XQUEUE_API_ENDPOINTS_H
#define XQUEUE_API_ENDPOINTS_H

#include "server/task/task.h"

task_step api_status;
task_step api_login;
task_step api_logout;
task_step api_submit;
task_step api_get_queuelen;
task_step api_get_submission;
task_step api_put_result;

#endif

/*
 * server/session/warm_up.c, in the real server: whoever logs in first after a
 * start does not wait for a hash (R17).
 */
#include "tests/support/expect.h"
#include "tests/support/mariadb.h"
#include "tests/support/service.h"
#include "tests/support/story.h"

#include <signal.h>

static struct service *start(const char *users)
{
    return service_start(&(struct service_settings){
        .users = users,
        .more = "LOCAL_LOGLEVEL: DEBUG\n",
    });
}

START_TEST(the_users_of_the_configuration_are_verified_at_the_start)
{
    struct service *service = start("{lms: password, grader: other}");

    service_wait_for_log(service, "warm_up user=lms result=verified");
    service_stop(service);
}
END_TEST

START_TEST(and_again_after_a_reload)
{
    struct service *service = start("{lms: password}");

    service_wait_for_log(service, "warm_up user=lms result=verified");
    service_signal(service, SIGHUP, "reload queues=1");
    service_wait_for_log(service, "warm_up user=lms result=verified");
    service_stop(service);
}
END_TEST

START_TEST(a_password_that_the_database_does_not_have_is_not_remembered)
{
    struct service *service = start("{lms: password}");
    struct http_client *client;

    service_wait_for_log(service, "warm_up user=lms result=verified");
    service_shut_down(service);
    mariadb_run("UPDATE auth_user SET password = '!'");
    service_serve(service);
    service_wait_for_log(service, "warm_up user=lms result=\"not verified\"");
    client = http_client_new(service_port(service));
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "lms", NULL},
                                          {"password", "password", NULL})),
                 1, "\"Incorrect login credentials\"");
    http_client_free(client);
    service_stop(service);
}
END_TEST

DATABASE_STORY(
    "warm_up", TELL(the_users_of_the_configuration_are_verified_at_the_start),
    TELL(and_again_after_a_reload),
    TELL(a_password_that_the_database_does_not_have_is_not_remembered))

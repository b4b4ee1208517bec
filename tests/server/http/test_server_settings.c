/*
 * The settings that a server has unless it is told otherwise.
 */
#include "server/http/server.h"

#include "tests/support/story.h"

/* R47: graders come back after half a minute, proxies after 75 seconds. */
START_TEST(a_kept_connection_may_be_idle_for_more_than_75_seconds)
{
    struct http_settings settings;

    http_settings_init(&settings);
    ck_assert_uint_gt(settings.idle_timeout_s, 75);
}
END_TEST

/* R46: devstack and the edX role expect it there. */
START_TEST(the_port_is_the_one_that_an_lms_is_configured_for)
{
    struct http_settings settings;

    http_settings_init(&settings);
    ck_assert_uint_eq(settings.port, 18040);
}
END_TEST

STORY("server settings",
      TELL(a_kept_connection_may_be_idle_for_more_than_75_seconds),
      TELL(the_port_is_the_one_that_an_lms_is_configured_for))

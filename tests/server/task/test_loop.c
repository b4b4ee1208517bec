#include "server/task/loop.h"

#include "server/base/compiler.h"
#include "tests/support/story.h"

#include <event2/event.h>

START_TEST(epoll_hears_of_changes_once_a_turn)
{
    struct loop *loop = loop_new();

    ck_assert_str_eq(event_base_get_method(loop_base(loop)),
                     "epoll (with changelist)");
    loop_free(loop);
}
END_TEST

STORY("loop", TELL(epoll_hears_of_changes_once_a_turn))

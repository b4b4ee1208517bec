/*
 * server/storage/iso_time.c
 */
#include "server/storage/iso_time.h"

#include "tests/support/story.h"

START_TEST(moments_are_read)
{
    int64_t us = 0;

    ck_assert(iso_time_parse(text_of("1970-01-01T00:00:00Z"), &us));
    ck_assert_int_eq(us, 0);
    ck_assert(iso_time_parse(text_of("2013-05-24T12:34:56.789Z"), &us));
    ck_assert_int_eq(us, 1369398896000000);
    ck_assert(iso_time_parse(text_of("2024-02-29T23:59:59.Z"), &us));
    ck_assert_int_eq(us, 1709251199000000);
    ck_assert(iso_time_parse(text_of("9999-12-31T23:59:59Z"), &us));
    ck_assert_int_eq(us, 253402300799000000);
}
END_TEST

START_TEST(other_things_are_not)
{
    static const char *const others[] = {
        "",
        "tomorrow",
        "2013-05-24",
        "2013-05-24T12:34:56",
        "2013-05-24T12:34:56+01:00",
        "2013-05-24T12:34:56Zx",
        "2013-05-24T12:34:56.7x9Z",
        "2013-05-24 12:34:56Z",
        "2013-00-24T12:34:56Z",
        "2013-13-24T12:34:56Z",
        "2013-05-00T12:34:56Z",
        "2013-05-32T12:34:56Z",
        "2013-05-24T24:34:56Z",
        "2013-05-24T12:60:56Z",
        "2013-05-24T12:34:61Z",
        "1969-12-31T23:59:59Z",
        "-013-05-24T12:34:56Z",
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int64_t us = 7;

        ck_assert_msg(!iso_time_parse(text_of(others[i]), &us), "%s",
                      others[i]);
        ck_assert_int_eq(us, 7);
    }
}
END_TEST

STORY("moments", TELL(moments_are_read), TELL(other_things_are_not))

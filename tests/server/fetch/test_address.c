/*
 * server/fetch/address.c
 */
#include "server/fetch/address.h"

#include "server/base/compiler.h"
#include "tests/support/story.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_forbidden(const char *spelling)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, spelling, &ipv4.sin_addr) == 1)
        return address_is_forbidden((struct sockaddr *)&ipv4, sizeof ipv4);
    ck_assert_msg(inet_pton(AF_INET6, spelling, &ipv6.sin6_addr) == 1, "%s",
                  spelling);
    return address_is_forbidden((struct sockaddr *)&ipv6, sizeof ipv6);
}

static void all_are(bool forbidden, const char *const *spellings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(is_forbidden(spellings[i]) == forbidden, "%s",
                      spellings[i]);
}

#define ALL_ARE(forbidden, ...)                                                \
    all_are((forbidden), (const char *const[]){__VA_ARGS__},                   \
            ARRAY_LENGTH(((const char *const[]){__VA_ARGS__})))

START_TEST(loopback_private_and_public_addresses_are_allowed)
{
    ALL_ARE(false, "127.0.0.1", "127.9.8.7", "10.0.0.1", "172.16.5.4",
            "192.168.1.1", "100.64.0.1", "93.184.216.34", "223.255.255.255",
            "::1", "fd12:3456::1", "2606:2800:220:1::1");
}
END_TEST

START_TEST(link_local_addresses_are_forbidden_to_the_last)
{
    ALL_ARE(true, "169.254.0.0", "169.254.169.254", "169.254.255.255",
            "fe80::", "fe80::1", "febf:ffff::1");
    ALL_ARE(false, "169.253.255.255", "169.255.0.0", "fe7f::1", "fec0::1");
}
END_TEST

START_TEST(unspecified_multicast_and_broadcast_are_forbidden)
{
    ALL_ARE(true, "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255",
            "255.255.255.255", "::", "ff02::1", "ff0e::1");
}
END_TEST

START_TEST(metadata_services_outside_link_local_are_forbidden)
{
    ALL_ARE(true, "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
            "fd00:c1::a9fe:a9fe", "fd00:42::42", "100.100.100.200",
            "168.63.129.16", "192.0.0.192");
    ALL_ARE(false, "fd00:ec3::254", "100.100.100.201", "168.63.129.15");
}
END_TEST

START_TEST(an_address_wrapped_in_ipv6_is_judged_by_its_inside)
{
    ALL_ARE(true, "::ffff:169.254.169.254", "::169.254.169.254",
            "::ffff:0:169.254.169.254", "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0",
            "::ffff:224.0.0.1", "64:ff9b::255.255.255.255");
    ALL_ARE(false, "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
            "2002:7f00:1::", "::ffff:10.0.0.1");
}
END_TEST

START_TEST(what_is_no_ip_address_is_forbidden)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_storage local = {.ss_family = AF_UNIX};

    ck_assert(address_is_forbidden((struct sockaddr *)&ipv4, 8));
    ck_assert(!address_is_forbidden((struct sockaddr *)&ipv4, sizeof ipv4));
    ck_assert(address_is_forbidden((struct sockaddr *)&local, sizeof local));
}
END_TEST

static bool allowed_by(const char *entry, const char *host)
{
    return host_is_allowed(text_of(host), &entry, 1);
}

START_TEST(without_entries_every_host_is_allowed)
{
    ck_assert(host_is_allowed(text_of("lms.example.org"), NULL, 0));
}
END_TEST

START_TEST(a_name_allows_itself_only)
{
    ck_assert(allowed_by("lms.example.org", "lms.example.org"));
    ck_assert(!allowed_by("example.org", "lms.example.org"));
    ck_assert(!allowed_by("lms.example.org", "example.org"));
    ck_assert(!allowed_by("lms.example.org", "evil-lms.example.org"));
    ck_assert(!allowed_by("lms.example.org", "lms.example.org.evil.net"));
}
END_TEST

START_TEST(a_leading_dot_allows_all_below_but_not_the_name_itself)
{
    ck_assert(allowed_by(".example.org", "lms.example.org"));
    ck_assert(allowed_by(".example.org", "a.b.example.org"));
    ck_assert(!allowed_by(".example.org", "example.org"));
    ck_assert(!allowed_by(".example.org", ".example.org"));
    ck_assert(!allowed_by(".example.org", "badexample.org"));
}
END_TEST

START_TEST(case_and_a_dot_at_the_end_do_not_matter)
{
    ck_assert(allowed_by("LMS.example.org", "lms.EXAMPLE.org."));
    ck_assert(allowed_by("lms.example.org.", "lms.example.org"));
    ck_assert(allowed_by(".Example.org.", "lms.example.org."));
}
END_TEST

START_TEST(an_ipv6_address_matches_with_and_without_brackets)
{
    ck_assert(allowed_by("::1", "[::1]"));
    ck_assert(allowed_by("[fd00::1]", "[FD00::1]"));
    ck_assert(!allowed_by("::1", "[::2]"));
}
END_TEST

START_TEST(an_empty_entry_or_host_matches_nothing)
{
    ck_assert(!allowed_by("", "lms.example.org"));
    ck_assert(!allowed_by("", ""));
    ck_assert(!allowed_by(".", "lms.example.org"));
    ck_assert(!allowed_by("lms.example.org", ""));
}
END_TEST

START_TEST(any_of_several_entries_will_do)
{
    const char *const entries[] = {"lms", "grader.example.org", ".internal"};

    ck_assert(host_is_allowed(text_of("grader.example.org"), entries, 3));
    ck_assert(host_is_allowed(text_of("a.internal"), entries, 3));
    ck_assert(!host_is_allowed(text_of("lms.example.org"), entries, 3));
}
END_TEST

STORY("address", TELL(loopback_private_and_public_addresses_are_allowed),
      TELL(link_local_addresses_are_forbidden_to_the_last),
      TELL(unspecified_multicast_and_broadcast_are_forbidden),
      TELL(metadata_services_outside_link_local_are_forbidden),
      TELL(an_address_wrapped_in_ipv6_is_judged_by_its_inside),
      TELL(what_is_no_ip_address_is_forbidden),
      TELL(without_entries_every_host_is_allowed),
      TELL(a_name_allows_itself_only),
      TELL(a_leading_dot_allows_all_below_but_not_the_name_itself),
      TELL(case_and_a_dot_at_the_end_do_not_matter),
      TELL(an_ipv6_address_matches_with_and_without_brackets),
      TELL(an_empty_entry_or_host_matches_nothing),
      TELL(any_of_several_entries_will_do))

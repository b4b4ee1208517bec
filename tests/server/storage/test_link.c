/*
 * server/storage/link.c
 */
#include "server/storage/link.h"

#include "tests/support/story.h"

#include <string.h>

#define KEY       "0123456789abcdef0123456789abcdef"
#define OTHER_KEY "1123456789abcdef0123456789abcdef"
#define SIGNATURE                                                              \
    "68b1c7bfa2a3ced80c7d89c2a7058ba09850be7ff927de292887bb352b752086"
#define QUERY "expires=1700003600&signature=" SIGNATURE

static struct arena *arena;
static struct links *links;
static struct storage_settings settings;

static void begin(void)
{
    settings = (struct storage_settings){
        .media_url = "/media/",
        .secret = text_of("the secret"),
        .link_lifetime_s = 3600,
    };
    arena = arena_new();
    links = links_new(&settings);
}

static void end(void)
{
    links_free(links);
    arena_free(arena);
}

static void change_settings(void)
{
    links_free(links);
    links = links_new(&settings);
}

static const char *link_of(const char *queue, const char *base)
{
    return links_make(links, arena, text_of(queue), KEY, text_of(base),
                      1700000000)
        .data;
}

static enum storage_link_state check_at(const char *query, int64_t now_s)
{
    return links_check(links, text_of("test-pull"), text_of(KEY),
                       text_of(query), now_s);
}

static enum storage_link_state check(const char *query)
{
    return check_at(query, 1700000001);
}

START_TEST(a_link_names_queue_key_time_and_signature)
{
    ck_assert_str_eq(link_of("test-pull", "http://xqueue:18040"),
                     "http://xqueue:18040/media/test-pull/" KEY "?" QUERY);
}
END_TEST

START_TEST(without_a_base_it_is_a_path)
{
    ck_assert_str_eq(link_of("test-pull", NULL),
                     "/media/test-pull/" KEY "?" QUERY);
}
END_TEST

START_TEST(the_public_url_goes_before_the_base)
{
    settings.public_url = "https://xqueue.example.org/";
    change_settings();
    ck_assert_str_eq(link_of("test-pull", "http://xqueue:18040"),
                     "https://xqueue.example.org/media/test-pull/" KEY
                     "?" QUERY);
}
END_TEST

START_TEST(a_queue_of_odd_letters_is_encoded)
{
    ck_assert_str_eq(
        link_of("a b/\xc3\xbc", NULL),
        "/media/a%20b%2F%C3%BC/" KEY "?expires=1700003600&signature="
        "340c65b9db765fe044a98ef7242e8fa0520e8d380002c0463af2ef7894c4b6cb");
}
END_TEST

START_TEST(an_unsigned_link_has_no_query_and_needs_none)
{
    settings.unsigned_links = true;
    change_settings();
    ck_assert_str_eq(link_of("test-pull", "http://x/"),
                     "http://x/media/test-pull/" KEY);
    ck_assert_int_eq(check(NULL), STORAGE_LINK_VALID);
    ck_assert_int_eq(check("expires=1&signature=x"), STORAGE_LINK_VALID);
    ck_assert_int_eq(links_check(links, text_of("test-pull"), text_of("../x"),
                                 TEXT_ABSENT, 1),
                     STORAGE_LINK_BAD);
}
END_TEST

START_TEST(a_link_is_good_until_its_time)
{
    ck_assert_int_eq(check_at(QUERY, 1700000000), STORAGE_LINK_VALID);
    ck_assert_int_eq(check_at(QUERY, 1700003600), STORAGE_LINK_VALID);
    ck_assert_int_eq(check_at(QUERY, 1700003601), STORAGE_LINK_EXPIRED);
}
END_TEST

START_TEST(a_link_is_for_one_file)
{
    ck_assert_int_eq(links_check(links, text_of("test-push"), text_of(KEY),
                                 text_of(QUERY), 1700000001),
                     STORAGE_LINK_BAD);
    ck_assert_int_eq(links_check(links, text_of("test-pull"),
                                 text_of(OTHER_KEY), text_of(QUERY),
                                 1700000001),
                     STORAGE_LINK_BAD);
}
END_TEST

START_TEST(another_time_needs_another_signature)
{
    ck_assert_int_eq(check("expires=1800000000&signature=" SIGNATURE),
                     STORAGE_LINK_BAD);
    /* Not "expired": nobody signed it. */
    ck_assert_int_eq(check("expires=1&signature=" SIGNATURE), STORAGE_LINK_BAD);
}
END_TEST

START_TEST(another_secret_makes_other_links)
{
    settings.secret = text_of("the secre7");
    change_settings();
    ck_assert_int_eq(check(QUERY), STORAGE_LINK_BAD);
}
END_TEST

START_TEST(a_query_of_another_form_is_bad)
{
    static const char *const bad[] = {
        "",
        "&",
        "expires=1700003600",
        "signature=" SIGNATURE,
        "expires=&signature=" SIGNATURE,
        "expires=17000036oo&signature=" SIGNATURE,
        "expires=99999999999999999999&signature=" SIGNATURE,
        "expires=1700003600&signature=",
        "expires=1700003600&signature=68b1",
        QUERY "0",
        QUERY "&expires=1800000000",
        "expires=1800000000&" QUERY,
        QUERY "&signature=" SIGNATURE,
        "Expires=1700003600&signature=" SIGNATURE,
        "expires =1700003600&signature=" SIGNATURE,
    };

    ck_assert_int_eq(check(NULL), STORAGE_LINK_BAD);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(check(bad[i]) == STORAGE_LINK_BAD, "%s", bad[i]);
}
END_TEST

START_TEST(the_order_and_other_parameters_do_not_matter)
{
    ck_assert_int_eq(check("signature=" SIGNATURE "&expires=1700003600"),
                     STORAGE_LINK_VALID);
    ck_assert_int_eq(check("&a=b&" QUERY "&c"), STORAGE_LINK_VALID);
}
END_TEST

START_TEST(any_changed_digit_of_the_signature_is_noticed)
{
    for (size_t i = 0; i < sizeof SIGNATURE - 1; i++) {
        char query[] = QUERY;
        char *digit = query + sizeof query - sizeof SIGNATURE + i;

        *digit = *digit == '0' ? '1' : '0';
        ck_assert_int_eq(check(query), STORAGE_LINK_BAD);
    }
}
END_TEST

START_TEST(a_queue_cannot_look_like_another_and_its_key)
{
    /* The same bytes behind one another, cut in another place. */
    const char *made =
        links_make(links, arena, text_of("q\n" KEY "\n5"), KEY, TEXT_ABSENT, 0)
            .data;

    ck_assert_int_eq(links_check(links, text_of("q"), text_of(KEY),
                                 text_of(strchr(made, '?') + 1), 0),
                     STORAGE_LINK_BAD);
}
END_TEST

START_TEST(an_endless_lifetime_does_not_wrap)
{
    settings.link_lifetime_s = INT64_MAX;
    change_settings();
    ck_assert_int_eq(
        check_at(strchr(link_of("test-pull", NULL), '?') + 1, INT64_C(1) << 60),
        STORAGE_LINK_VALID);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_link_names_queue_key_time_and_signature),
        TELL(without_a_base_it_is_a_path),
        TELL(the_public_url_goes_before_the_base),
        TELL(a_queue_of_odd_letters_is_encoded),
        TELL(an_unsigned_link_has_no_query_and_needs_none),
        TELL(a_link_is_good_until_its_time),
        TELL(a_link_is_for_one_file),
        TELL(another_time_needs_another_signature),
        TELL(another_secret_makes_other_links),
        TELL(a_query_of_another_form_is_bad),
        TELL(the_order_and_other_parameters_do_not_matter),
        TELL(any_changed_digit_of_the_signature_is_noticed),
        TELL(a_queue_cannot_look_like_another_and_its_key),
        TELL(an_endless_lifetime_does_not_wrap),
    };
    static const struct story story = {
        .name = "links to files",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}

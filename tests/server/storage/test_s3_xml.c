/*
 * server/storage/s3_xml.c
 */
#include "server/storage/s3_xml.h"

#include "server/base/buffer.h"
#include "tests/support/story.h"

#define OBJECT(name)                                                           \
    "<Contents><Key>" name "</Key>"                                            \
    "<LastModified>2013-05-24T12:34:56.789Z</LastModified>"                    \
    "<ETag>&quot;1&quot;</ETag><Size>42</Size>"                                \
    "<Owner><ID>1</ID><Key>other</Key></Owner></Contents>"
#define LIST(parts)                                                            \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                             \
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"     \
    "<Name>uploads</Name><Prefix>p/</Prefix>" parts "</ListBucketResult>"
#define LAST "<IsTruncated>false</IsTruncated>"

static struct arena *arena;

static void before_each(void)
{
    arena = arena_new();
}

static void after_each(void)
{
    arena_free(arena);
}

static struct s3_page page_of(const char *xml)
{
    struct s3_page page;

    ck_assert_msg(s3_xml_page(text_of(xml), arena, &page), "%s", xml);
    return page;
}

START_TEST(a_page_has_names_sizes_and_times)
{
    struct s3_page page = page_of(LIST(OBJECT("p/a") LAST OBJECT("p/b")));

    ck_assert_uint_eq(page.count, 2);
    ck_assert(text_equal_string(page.objects[0].name, "p/a"));
    ck_assert(text_equal_string(page.objects[1].name, "p/b"));
    ck_assert_int_eq(page.objects[0].size, 42);
    ck_assert_int_eq(page.objects[0].modified_us, 1369398896000000);
    ck_assert(text_is_absent(page.token));
}
END_TEST

START_TEST(a_page_may_be_empty)
{
    ck_assert_uint_eq(page_of(LIST(LAST)).count, 0);
    ck_assert_uint_eq(page_of("<ListBucketResult/>").count, 0);
}
END_TEST

START_TEST(a_page_tells_how_it_goes_on)
{
    struct s3_page page = page_of(
        LIST("<IsTruncated>true</IsTruncated>"
             "<NextContinuationToken>1&amp;2&#x3d;</NextContinuationToken>"));

    ck_assert(text_equal_string(page.token, "1&2="));
}
END_TEST

START_TEST(names_are_decoded_when_the_page_says_so)
{
    struct s3_page page = page_of(LIST(OBJECT("a%20%C3%A4+b%2B&lt;") LAST
                                       "<EncodingType>url</EncodingType>"));

    ck_assert(text_equal_string(page.objects[0].name, "a \xc3\xa4 b+<"));
    page = page_of(LIST(OBJECT("a%20+") LAST));
    ck_assert(text_equal_string(page.objects[0].name, "a%20+"));
}
END_TEST

START_TEST(what_is_not_a_whole_list_is_refused)
{
    static const char *const others[] = {
        "",
        "x",
        "<Error><Code>a</Code></Error>",
        "<ListBucketResult>",
        "<ListBucketResult></Contents>",
        LIST("<IsTruncated>true</IsTruncated>"),
        LIST("<IsTruncated>false</IsTruncated>"
             "<NextContinuationToken>1</NextContinuationToken>"),
        LIST("<Contents><Key>a</Key><Size>1</Size></Contents>"),
        LIST("<Contents><Key>a</Key><LastModified>?</LastModified></Contents>"),
        LIST("<Contents><LastModified>2013-05-24T12:34:56Z</LastModified>"
             "</Contents>"),
        "<!DOCTYPE a><ListBucketResult/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult a=\"&b;\"/>",
        "<ListBucketResult>&b;</ListBucketResult>",
        "<ListBucketResult>\xff</ListBucketResult>",
        "<ListBucketResult/><ListBucketResult/>",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        struct s3_page page = {.count = 7};

        ck_assert_msg(!s3_xml_page(text_of(others[i]), arena, &page), "%s",
                      others[i]);
        ck_assert_uint_eq(page.count, 7);
    }
}
END_TEST

START_TEST(depth_and_length_have_an_end)
{
    struct buffer xml = {NULL, 0, 0};
    struct s3_page page;

    for (int i = 0; i < 100000; i++)
        buffer_append_string(&xml, "<a>");
    ck_assert(!s3_xml_page(buffer_text(&xml), arena, &page));
    buffer_clear(&xml);
    buffer_append_string(&xml, "<ListBucketResult><Name>");
    for (int i = 0; i < 20000; i++)
        buffer_append_char(&xml, 'x');
    buffer_append_string(&xml, "</Name></ListBucketResult>");
    ck_assert(!s3_xml_page(buffer_text(&xml), arena, &page));
    buffer_free(&xml);
}
END_TEST

START_TEST(an_error_has_a_code)
{
    static const struct {
        const char *xml;
        const char *code;
    } errors[] = {
        {"<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code>"
         "<Message>The key &amp;</Message><Key>a</Key></Error>",
         "NoSuchKey"},
        {"<Error><Message>m</Message><Code>SlowDown</Code>", "SlowDown"},
        {"<Error><Code>a b</Code></Error>", ""},
        {"<Error><Code>a\nb</Code></Error>", ""},
        {"<Error><Code>0123456789012345678901234567890123456789"
         "012345678901234567890123</Code></Error>",
         ""},
        {"<Error><Resource><Code>a</Code></Resource></Error>", ""},
        {"<html><Code>a</Code></html>", ""},
        {"Service unavailable", ""},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++) {
        char code[S3_CODE_SIZE];

        s3_xml_error_code(text_of(errors[i].xml), code);
        ck_assert_str_eq(code, errors[i].code);
    }
}
END_TEST

static bool read_role(const char *xml, struct s3_role_words *ret_words)
{
    return s3_xml_role(text_of(xml), arena, ret_words);
}

#define ROLE_START                                                             \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/"    \
    "doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult>"
#define ROLE_END                                                               \
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"

START_TEST(the_credentials_of_a_role_are_read)
{
    struct s3_role_words words;

    ck_assert(read_role(ROLE_START
                        "<AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser>"
                        "<Credentials><SessionToken>to+ken=</SessionToken>"
                        "<SecretAccessKey>se/cret</SecretAccessKey>"
                        "<Expiration>2014-10-24T23:00:23Z</Expiration>"
                        "<AccessKeyId>WHO</AccessKeyId></Credentials>" ROLE_END,
                        &words));
    ck_assert(text_equal_string(words.access_key, "WHO"));
    ck_assert(text_equal_string(words.secret_key, "se/cret"));
    ck_assert(text_equal_string(words.session_token, "to+ken="));
    ck_assert(text_equal_string(words.expiration, "2014-10-24T23:00:23Z"));
}
END_TEST

START_TEST(what_a_role_lacks_is_absent)
{
    struct s3_role_words words;

    ck_assert(read_role(ROLE_START ROLE_END, &words));
    ck_assert(text_is_absent(words.access_key));
    ck_assert(text_is_absent(words.expiration));
}
END_TEST

START_TEST(what_is_no_role_is_none)
{
    struct s3_role_words words;

    ck_assert(!read_role("", &words));
    ck_assert(!read_role(ROLE_START, &words));
    ck_assert(!read_role("<ErrorResponse><Error/></ErrorResponse>", &words));
    ck_assert(!read_role("<!DOCTYPE a>" ROLE_START ROLE_END, &words));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_page_has_names_sizes_and_times),
        TELL(a_page_may_be_empty),
        TELL(a_page_tells_how_it_goes_on),
        TELL(names_are_decoded_when_the_page_says_so),
        TELL(what_is_not_a_whole_list_is_refused),
        TELL(depth_and_length_have_an_end),
        TELL(an_error_has_a_code),
        TELL(the_credentials_of_a_role_are_read),
        TELL(what_a_role_lacks_is_absent),
        TELL(what_is_no_role_is_none),
    };
    static const struct story story = {
        .name = "what S3 says",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = before_each,
        .after_each = after_each,
    };

    return story_run(&story);
}

/*
 * What S3 says in XML.
 *
 * An element counts by its name and its depth: 1 for the root, 2 for what is
 * in it, 3 for what is in a <Contents>, 4 for what is in a <Credentials>.
 * Everything else is passed over. Only the text of the innermost element is
 * kept, up to LONGEST_TEXT.
 */
#include "server/storage/s3_xml.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"
#include "server/base/percent.h"
#include "server/storage/iso_time.h"

#include <ctype.h>
#include <expat.h>
#include <limits.h>
#include <string.h>

enum { LONGEST_TEXT = 16 * 1024, DEEPEST = 16, MOST_OBJECTS = 10000 };

struct reading {
    XML_Parser parser; /* owns */
    struct arena *arena;
    unsigned depth;
    bool is_list;       /* the root is a list, or else */
    bool is_error;      /* an error */
    bool is_role;       /* an answer of the token service */
    bool is_in_object;  /* a <Contents> */
    struct buffer text; /* of the element */

    struct buffer objects; /* struct s3_object, one after the other */
    struct s3_object object;
    bool is_truncated;
    bool is_encoded; /* the names are, as they would be in a URL */
    struct text token;
    struct text code;
    struct s3_role_words words;
};

static bool read_xml(struct text xml, struct reading *reading);
static void on_start(void *context, const XML_Char *name,
                     const XML_Char **attributes);
static void on_text(void *context, const XML_Char *bytes, int size);
static void on_end(void *context, const XML_Char *name);
static void on_doctype(void *context, const XML_Char *name,
                       const XML_Char *system_id, const XML_Char *public_id,
                       int has_internal_subset);
static void end_part(struct reading *reading, const char *name);
static void end_object(struct reading *reading);
static void end_field(struct reading *reading, const char *name);
static void end_word(struct reading *reading, const char *name);
static struct text text_so_far(const struct reading *reading);
static void take_objects(struct reading *reading, struct s3_page *page);

bool s3_xml_page(struct text xml, struct arena *arena, struct s3_page *ret_page)
{
    struct reading reading = {.arena = arena};
    bool is_good = read_xml(xml, &reading) && reading.is_list &&
                   reading.is_truncated == !text_is_absent(reading.token);

    if (is_good) {
        ret_page->token = reading.token;
        take_objects(&reading, ret_page);
    }
    buffer_free(&reading.objects);
    return is_good;
}

bool s3_xml_role(struct text xml, struct arena *arena,
                 struct s3_role_words *ret_words)
{
    struct reading reading = {
        .arena = arena,
        .words = {TEXT_ABSENT, TEXT_ABSENT, TEXT_ABSENT, TEXT_ABSENT}};

    if (!read_xml(xml, &reading) || !reading.is_role)
        return false;
    *ret_words = reading.words;
    return true;
}

void s3_xml_error_code(struct text xml, char ret_code[S3_CODE_SIZE])
{
    struct reading reading = {.arena = arena_new()};
    bool is_plain;

    (void)read_xml(xml, &reading);
    is_plain = reading.code.size < S3_CODE_SIZE;
    for (size_t i = 0; is_plain && i < reading.code.size; i++)
        is_plain = isalnum((unsigned char)reading.code.data[i]) != 0;
    memset(ret_code, 0, S3_CODE_SIZE);
    if (is_plain && reading.code.size > 0)
        memcpy(ret_code, reading.code.data, reading.code.size);
    buffer_free(&reading.objects);
    arena_free(reading.arena);
}

static bool read_xml(struct text xml, struct reading *reading)
{
    bool is_whole;

    if (xml.size == 0 || xml.size > INT_MAX)
        return false;
    reading->parser = XML_ParserCreate(NULL);
    if (reading->parser == NULL)
        fatal("Expat: no memory for a parser");
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading->parser, on_doctype);
    is_whole = XML_Parse(reading->parser, xml.data, (int)xml.size, XML_TRUE) ==
               XML_STATUS_OK;
    XML_ParserFree(reading->parser);
    buffer_free(&reading->text);
    return is_whole;
}

static void on_start(void *context, const XML_Char *name,
                     const XML_Char **attributes)
{
    struct reading *reading = context;

    (void)attributes;
    reading->depth++;
    buffer_clear(&reading->text);
    if (reading->depth > DEEPEST)
        XML_StopParser(reading->parser, XML_FALSE);
    if (reading->depth == 1) {
        reading->is_list = strcmp(name, "ListBucketResult") == 0;
        reading->is_error = strcmp(name, "Error") == 0;
        reading->is_role =
            strcmp(name, "AssumeRoleWithWebIdentityResponse") == 0;
    }
    if (reading->depth == 2) {
        reading->is_in_object = strcmp(name, "Contents") == 0;
        reading->object = (struct s3_object){.modified_us = -1};
    }
}

static void on_text(void *context, const XML_Char *bytes, int size)
{
    struct reading *reading = context;

    buffer_append(&reading->text, bytes, (size_t)size);
    if (reading->text.size > LONGEST_TEXT)
        XML_StopParser(reading->parser, XML_FALSE);
}

static void on_end(void *context, const XML_Char *name)
{
    struct reading *reading = context;

    if (reading->depth == 2 && reading->is_list)
        end_part(reading, name);
    if (reading->depth == 2 && reading->is_error && strcmp(name, "Code") == 0)
        reading->code = text_so_far(reading);
    if (reading->depth == 3 && reading->is_list && reading->is_in_object)
        end_field(reading, name);
    if (reading->depth == 4 && reading->is_role)
        end_word(reading, name);
    reading->depth--;
    buffer_clear(&reading->text);
}

/* Nobody who lists files declares entities. */
static void on_doctype(void *context, const XML_Char *name,
                       const XML_Char *system_id, const XML_Char *public_id,
                       int has_internal_subset)
{
    struct reading *reading = context;

    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    XML_StopParser(reading->parser, XML_FALSE);
}

static void end_part(struct reading *reading, const char *name)
{
    const struct text text = buffer_text(&reading->text);

    if (reading->is_in_object)
        end_object(reading);
    else if (strcmp(name, "IsTruncated") == 0)
        reading->is_truncated = text_equal_string(text, "true");
    else if (strcmp(name, "EncodingType") == 0)
        reading->is_encoded = text_equal_string(text, "url");
    else if (strcmp(name, "NextContinuationToken") == 0 && text.size > 0)
        reading->token = text_so_far(reading);
}

static void end_object(struct reading *reading)
{
    buffer_append(&reading->objects, &reading->object, sizeof reading->object);
    /* Without its age nobody could tell whether it may be deleted. */
    if (text_is_absent(reading->object.name) ||
        reading->object.modified_us < 0 ||
        reading->objects.size > MOST_OBJECTS * sizeof reading->object)
        XML_StopParser(reading->parser, XML_FALSE);
}

static void end_field(struct reading *reading, const char *name)
{
    struct s3_object *object = &reading->object;
    const struct text text = buffer_text(&reading->text);

    if (strcmp(name, "Key") == 0)
        object->name = text_so_far(reading);
    else if (strcmp(name, "Size") == 0)
        (void)!text_to_integer(text, &object->size);
    else if (strcmp(name, "LastModified") == 0)
        (void)!iso_time_parse(text, &object->modified_us);
}

/* In a <Credentials>; no others are so deep that have these names. */
static void end_word(struct reading *reading, const char *name)
{
    struct s3_role_words *words = &reading->words;

    if (strcmp(name, "AccessKeyId") == 0)
        words->access_key = text_so_far(reading);
    else if (strcmp(name, "SecretAccessKey") == 0)
        words->secret_key = text_so_far(reading);
    else if (strcmp(name, "SessionToken") == 0)
        words->session_token = text_so_far(reading);
    else if (strcmp(name, "Expiration") == 0)
        words->expiration = text_so_far(reading);
}

static struct text text_so_far(const struct reading *reading)
{
    return arena_copy(reading->arena, buffer_text(&reading->text));
}

/* <EncodingType> may stand behind the names, so they are decoded last. */
static void take_objects(struct reading *reading, struct s3_page *page)
{
    const size_t size = reading->objects.size;

    page->count = size / sizeof *page->objects;
    page->objects = arena_alloc(reading->arena, size);
    if (size > 0)
        memcpy(page->objects, reading->objects.data, size);
    for (size_t i = 0; reading->is_encoded && i < page->count; i++)
        page->objects[i].name = percent_decode(
            reading->arena, page->objects[i].name, PERCENT_PLUS_IS_SPACE);
}

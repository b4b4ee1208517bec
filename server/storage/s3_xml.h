/*
 * What S3 says in XML, read by Expat: a page of a list, and the word for an
 * error; and what the token service says of a role. The only user of Expat.
 * Pure; any thread.
 */
#ifndef XQUEUE_STORAGE_S3_XML_H
#define XQUEUE_STORAGE_S3_XML_H

#include "server/base/arena.h"
#include "server/base/compiler.h"

enum { S3_CODE_SIZE = 64 };

struct s3_object {
    struct text name; /* decoded */
    int64_t size;
    int64_t modified_us; /* since 1970 */
};

struct s3_page {
    struct s3_object *objects; /* the arena's, as all of it */
    size_t count;
    struct text token; /* continues the list; absent on the last page */
};

/*
 * The answer to ListObjectsV2. False when it is not one, is cut off, or
 * declares a document type.
 */
bool s3_xml_page(struct text xml, struct arena *arena,
                 struct s3_page *ret_page) MUST_CHECK;

/*
 * The <Code> of an <Error>: "NoSuchKey". Empty when there is none, or none
 * made of letters and digits alone; the rest of the XML need not be whole.
 */
void s3_xml_error_code(struct text xml, char ret_code[S3_CODE_SIZE]);

/* The credentials of a role, as somebody wrote them. Absent: not there. */
struct s3_role_words {
    struct text access_key;
    struct text secret_key;
    struct text session_token;
    struct text expiration; /* see iso_time.h */
};

/*
 * Those in the answer to AssumeRoleWithWebIdentity. False when it is not one,
 * is cut off, or declares a document type.
 */
bool s3_xml_role(struct text xml, struct arena *arena,
                 struct s3_role_words *ret_words) MUST_CHECK;

#endif

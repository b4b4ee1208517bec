/*
 * Submissions with files, and what a grader gets of them; beside
 * service_story.h. Whatever fails here fails the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_UPLOAD_H
#define XQUEUE_TESTS_SUPPORT_UPLOAD_H

#include "server/base/text.h"
#include "tests/support/http_client.h"

struct upload {
    const char *name; /* the field name: any bytes but quotes and line ends */
    struct text content;
};

/* POST /xqueue/submit/ with these files after the two fields. */
const struct reply *lms_upload(const char *header, const char *body,
                               const struct upload *uploads, size_t count);

/* The same up to the answer, which is for http_read_reply(client). */
void lms_upload_begin(const char *header, const char *body,
                      const struct upload *uploads, size_t count);

/*
 * `files`, the text of xqueue_files, has these files and no other, and each
 * link leads to its content.
 */
void expect_files(struct text files, const struct upload *uploads,
                  size_t count);

/* The link to a file, in `scratch`. */
const char *link_of(struct text files, const char *name);

/* What this client gets by a link of `service`. */
const struct reply *follow(const char *link);

/* `count` small files with long names, each with something of its own. */
struct upload *many_uploads(size_t count);

#endif

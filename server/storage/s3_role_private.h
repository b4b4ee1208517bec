/*
 * What the ways of asking for a role's credentials share. Loop thread.
 * Internal to server/storage/s3_role*.c.
 */
#ifndef XQUEUE_STORAGE_S3_ROLE_PRIVATE_H
#define XQUEUE_STORAGE_S3_ROLE_PRIVATE_H

#include "server/fetch/fetch.h"
#include "server/storage/s3_role.h"
#include "server/storage/s3_xml.h"

/* One way of asking: a file s3_role_NAME.c. */
struct s3_role_way {
    const char *whom; /* for the log: "the container's agent" */

    /* Whom the environment names, in the arena; NULL: nobody of this kind. */
    const char *(*find)(struct arena *arena);
    void (*ask)(struct s3_role *role);
    bool may_ask_metadata; /* see struct fetch_policy */
};

extern const struct s3_role_way s3_role_web;
extern const struct s3_role_way s3_role_container;
extern const struct s3_role_way s3_role_instance;

typedef void s3_role_take(struct s3_role *role, struct text reply);

struct s3_role {
    struct s3_role_owner owner;
    struct fetcher *fetcher; /* owns */
    const struct s3_role_way *way;
    const char *url;       /* as the way has found it */
    struct arena *forever; /* owns; the URL */

    struct arena *arena; /* owns; of this asking */
    struct fetch fetch;
    const char *headers[2];
    const char *token; /* a header that goes with all requests, or NULL */
    int64_t deadline_ms;
    s3_role_take *take; /* what to do with the reply */
    struct s3_role_answer answer;
};

struct s3_role_request {
    const char *method; /* as in struct fetch: NULL is POST */
    const char *url;
    const char *header; /* NULL: none */
    struct text form;   /* absent: no body */
    s3_role_take *take; /* called when the answer is 200 */
};

/*
 * A header that no request leaves with: for one that cannot be made, so that
 * the asking ends later, as all do.
 */
#define S3_ROLE_NO_HEADER "\n"

/* All in the asking's arena. */
void s3_role_request(struct s3_role *role,
                     const struct s3_role_request *request);

/* The end of an asking, one of these. */
void s3_role_answer(struct s3_role *role, const struct s3_role_words *words);
void s3_role_give_up(struct s3_role *role, const char *why);

/* Such words as a JSON object: what all but one way get. */
s3_role_take s3_role_take_json;

/* The value of a variable of the environment; NULL when it is empty, too. */
const char *s3_role_variable(const char *name);

/*
 * A token in a file, which is written anew now and then, without line ends
 * behind it; false, with a line in the log, when it cannot be read.
 */
bool s3_role_read_token(struct s3_role *role, const char *path,
                        struct text *ret_token) MUST_CHECK;

/* Printable, without blanks; not empty. */
bool s3_role_is_word(struct text text);

#endif

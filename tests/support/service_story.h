/*
 * A test program with one server for all its tests, and what an LMS and a
 * grader say to it, in words.
 *
 *     static const struct service_settings settings = {.queues = "{q: null}"};
 *     SERVICE_STORY("pulling", &settings, TELL(...), ...)
 *
 * The user "lms" with the password "password" is in the database, with a hash
 * that costs nothing. Tests share the database: each takes a queue or a
 * callback address of its own where it counts.
 */
#ifndef XQUEUE_TESTS_SERVICE_STORY_H
#define XQUEUE_TESTS_SERVICE_STORY_H

#include "tests/support/expect.h"
#include "tests/support/mariadb.h"
#include "tests/support/service.h"
#include "tests/support/story.h"

/* For the tests: one for all of them, and new ones for each. */
extern struct service *service;
extern struct http_client *client;
extern struct arena *scratch;

/* For main(): see SERVICE_STORY. */
int service_story_run(const struct story *story,
                      const struct service_settings *settings);

#define SERVICE_STORY(story_name, story_settings, ...)                         \
    int main(void)                                                             \
    {                                                                          \
        static const struct story_test tests[] = {__VA_ARGS__};                \
        static const struct story story = {                                    \
            .name = (story_name),                                              \
            .tests = tests,                                                    \
            .count = sizeof tests / sizeof tests[0],                           \
            .timeout_s = 120,                                                  \
        };                                                                     \
        return service_story_run(&story, (story_settings));                    \
    }

/*
 * For programs whose tests each have a server, and a database, of their own:
 * the server serves, `client` is logged in. After that server may come
 * others; the end stops the one that is `service` then.
 */
void own_service_begin(const struct service_settings *settings);
void own_service_end(void);

/* The database of all tests, for a second server. */
const struct db_settings *story_database(void);

/* A user in the newest database, whose password is "password". */
void add_user(const char *name);

/* Log in as "lms"; the reply must be the right one. */
void log_in(struct http_client *speaker);

/*
 * The header of an LMS. `url` NULL: an address of its own that nobody
 * listens at.
 */
const char *lms_header(const char *queue, const char *url);

/* POST /xqueue/submit/ and /xqueue/put_result/. */
const struct reply *lms_submit(const char *header, const char *body);
const struct reply *grader_put_result(const char *header, const char *body);

/* GET /xqueue/get_queuelen/ and /xqueue/get_submission/ of a plain name. */
const struct reply *get_queuelen(const char *queue);
const struct reply *get_submission(const char *queue);

struct pulled {
    int64_t id;
    const char *key;
    const char *header; /* as it came, to be sent back */
    struct text body;
    struct text files;
};

/* Take a submission, which must be there. */
struct pulled grader_pull(const char *queue);

/* What a get_submission's reply holds. */
struct pulled read_pulled(const struct reply *reply);

/* lms_submit() and grader_pull() of something, where it matters little what. */
struct pulled submit_and_pull(const char *queue);

/* Submit to test-pull, take it, and send its result: accepted. */
void submit_and_answer(const char *url, const char *result);

/* `text` as it stands in a form: what is no letter or digit as %XX. */
const char *encoded(const char *text);

#endif

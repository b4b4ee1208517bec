/*
 * Submissions with one to three files each while the server is killed again
 * and again: what was acknowledged has all its files, whole, and so has
 * whatever else was stored; what nobody names `xqueue files --orphans` finds.
 *
 * 3 kills; with XQUEUE_STRESS=full, 40.
 */
#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"
#include "tests/support/backlog.h"
#include "tests/support/media_root.h"
#include "tests/support/service_story.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUBMITTERS = 8,
    MOST_FILES = 3,
    MOST_BYTES = 200 * 1000,
    MOST_SUBMISSIONS = 100000,
    REPLY_MS = 20000,
    LOOK_MS = 5,
    AWAY_MS = 20,
    OLD_S = 2 * 3600
};

enum fate { FATE_UNKNOWN, FATE_ACKNOWLEDGED };

struct submitter {
    pthread_t thread;
    struct http_client *client;
};

static struct submitter submitters[SUBMITTERS];
static atomic_int next_number;
static atomic_int acknowledged;
static atomic_int wrong; /* replies that must not be */
static atomic_bool is_enough;
static atomic_char fates[MOST_SUBMISSIONS];

static int times(int few, int many)
{
    const char *size = getenv("XQUEUE_STRESS");

    return size != NULL && strcmp(size, "full") == 0 ? many : few;
}

/* --- what each number is ---------------------------------------------- */

static int file_count(int number)
{
    return 1 + number % MOST_FILES;
}

static const char *header_of(int number)
{
    return arena_printf(scratch,
                        "{\"lms_callback_url\": \"http://lms/%d\","
                        " \"lms_key\": \"%d\", \"queue_name\":"
                        " \"test-pull\"}",
                        number, number);
}

/* Small ones and large ones; freed by the caller. */
static char *content_of(int number, int file)
{
    const unsigned seed = (unsigned)(number * MOST_FILES + file);
    const size_t size = number % 2 == 0 ? seed % 100 : seed * 7919 % MOST_BYTES;
    char *content = xmalloc(size + 1);

    for (size_t i = 0; i < size; i++)
        content[i] = (char)('a' + (seed + i + i / 1000) % 26);
    content[size] = '\0';
    return content;
}

static const char *const file_names[MOST_FILES] = {"a.py", "b.py",
                                                   "m\xc3\xa4rchen.txt"};

static const char *key_of(int number, int file)
{
    char key[FILE_KEY_SIZE + 1];

    file_key(text_of(header_of(number)), text_of(file_names[file]), key);
    return arena_strdup(scratch, key);
}

/* --- submitting ------------------------------------------------------- */

static void note(int number, const struct reply *reply)
{
    if (reply->status == 200 &&
        memmem(reply->body.data, reply->body.size, "\"return_code\": 0", 16)) {
        atomic_store(&fates[number], FATE_ACKNOWLEDGED);
        atomic_fetch_add(&acknowledged, 1);
    } else if (reply->status != 0 && reply->status != 503) {
        atomic_fetch_add(&wrong, 1);
    } else {
        poll(NULL, 0, AWAY_MS);
    }
}

static void submit(struct submitter *submitter, int number)
{
    struct http_part parts[2 + MOST_FILES];
    const size_t files = (size_t)file_count(number);
    char *contents[MOST_FILES];
    char header[200];
    char body[16];

    snprintf(header, sizeof header,
             "{\"lms_callback_url\": \"http://lms/%d\", \"lms_key\": \"%d\","
             " \"queue_name\": \"test-pull\"}",
             number, number);
    snprintf(body, sizeof body, "%d", number);
    parts[0] = (struct http_part){"xqueue_header", header, NULL};
    parts[1] = (struct http_part){"xqueue_body", body, NULL};
    for (size_t i = 0; i < files; i++) {
        contents[i] = content_of(number, (int)i);
        parts[2 + i] =
            (struct http_part){file_names[i], contents[i], file_names[i]};
    }
    http_client_forget_replies(submitter->client);
    note(number, http_post_multipart(submitter->client, "/xqueue/submit/",
                                     (struct http_form){parts, 2 + files}));
    for (size_t i = 0; i < files; i++)
        free(contents[i]);
}

static void *submit_all(void *context)
{
    struct submitter *submitter = context;
    int number;

    while (!atomic_load(&is_enough) &&
           (number = atomic_fetch_add(&next_number, 1)) < MOST_SUBMISSIONS)
        submit(submitter, number);
    return NULL;
}

static void start_submitters(void)
{
    for (size_t i = 0; i < SUBMITTERS; i++) {
        struct submitter *submitter = &submitters[i];

        submitter->client = http_client_new(service_port(service));
        http_client_set_timeout_ms(submitter->client, REPLY_MS);
        http_set_cookie(submitter->client, "sessionid",
                        http_cookie(client, "sessionid"));
        if (pthread_create(&submitter->thread, NULL, submit_all, submitter) !=
            0)
            fatal("no thread for a client");
    }
}

static void end_submitters(void)
{
    atomic_store(&is_enough, true);
    for (size_t i = 0; i < SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        http_client_free(submitters[i].client);
    }
}

static void wait_for_acknowledged(int count)
{
    struct progress progress = {0, 0};
    int now;

    while ((now = atomic_load(&acknowledged)) < count) {
        ck_assert_msg(!progress_has_stalled(&progress, now),
                      "%d of %d submits acknowledged, and no more", now, count);
        poll(NULL, 0, LOOK_MS);
    }
}

static void kill_server(int count)
{
    for (int i = 0; i < count; i++) {
        uint16_t random;

        wait_for_acknowledged(atomic_load(&acknowledged) + times(40, 150));
        crypto_random(&random, sizeof random);
        poll(NULL, 0, random % 100);
        service_kill(service);
        service_serve(service);
    }
    wait_for_acknowledged(atomic_load(&acknowledged) + 20);
}

/* --- what is left ----------------------------------------------------- */

static void expect_content(int number, int file)
{
    const char *path =
        arena_printf(scratch, "%s/test-pull/%s", service_media_root(service),
                     key_of(number, file));
    char *expected = content_of(number, file);
    const size_t size = strlen(expected);
    char *found = xmalloc(MOST_BYTES + 1);
    FILE *opened = fopen(path, "re");

    ck_assert_msg(opened != NULL, "no file %d of submission %d", file, number);
    ck_assert_msg(fread(found, 1, MOST_BYTES + 1, opened) == size &&
                      memcmp(found, expected, size) == 0,
                  "other bytes in file %d of submission %d", file, number);
    fclose(opened);
    free(found);
    free(expected);
}

/* Marks those that are in the database, a hundred at a time. */
static void find_stored(bool *stored)
{
    int64_t last_id = 0;
    int64_t next_id;
    const char *bodies;

    while (*(bodies = mariadb_value(
                 "SELECT COALESCE(GROUP_CONCAT(xqueue_body), '') FROM"
                 " (SELECT xqueue_body FROM queue_submission WHERE id > %lld"
                 " ORDER BY id LIMIT 100) some",
                 (long long)last_id)) != '\0') {
        for (; *bodies != '\0'; bodies += strcspn(bodies, ",") + 1) {
            const long number = strtol(bodies, NULL, 10);

            ck_assert_int_lt(number, MOST_SUBMISSIONS);
            ck_assert_msg(!stored[number], "%ld is stored twice", number);
            stored[number] = true;
            if (bodies[strcspn(bodies, ",")] == '\0')
                break;
        }
        next_id = strtoll(mariadb_value("SELECT MAX(id) FROM (SELECT id FROM"
                                        " queue_submission WHERE id > %lld"
                                        " ORDER BY id LIMIT 100) some",
                                        (long long)last_id),
                          NULL, 10);
        ck_assert_int_gt(next_id, last_id);
        last_id = next_id;
    }
}

/* How many files the stored submissions have, after a look at each. */
static size_t expect_files(const bool *stored)
{
    size_t files = 0;

    for (int number = 0; number < atomic_load(&next_number); number++) {
        ck_assert_msg(stored[number] ||
                          atomic_load(&fates[number]) != FATE_ACKNOWLEDGED,
                      "submission %d is lost", number);
        for (int i = 0; stored[number] && i < file_count(number); i++) {
            expect_content(number, i);
            files++;
        }
    }
    return files;
}

static void make_all_old(void)
{
    DIR *names = opendir(
        arena_printf(scratch, "%s/test-pull", service_media_root(service)));
    const struct dirent *entry;

    ck_assert_ptr_nonnull(names);
    while ((entry = readdir(names)) != NULL)
        if (entry->d_name[0] != '.')
            media_root_set_age("test-pull", entry->d_name, OLD_S);
    closedir(names);
}

static void expect_orphans(size_t files, size_t orphans)
{
    struct text output;

    ck_assert_int_eq(service_command(service, &output, "files", "--orphans",
                                     "--delete", NULL),
                     0);
    ck_assert_msg(strstr(arena_string(scratch, output),
                         arena_printf(scratch, "%zu of them are deleted",
                                      orphans)) != NULL,
                  "%zu orphans, but:\n%.*s", orphans, TEXT_ARGUMENTS(output));
    ck_assert_uint_eq(media_root_count("test-pull"), files);
}

START_TEST(an_acknowledged_submission_has_its_files)
{
    const int kills = times(3, 40);
    bool *stored = xcalloc(MOST_SUBMISSIONS, sizeof *stored);
    size_t files;
    size_t orphans;

    own_service_begin(&(struct service_settings){0});
    start_submitters();
    kill_server(kills);
    end_submitters();
    ck_assert_int_eq(atomic_load(&wrong), 0);
    find_stored(stored);
    files = expect_files(stored);
    make_all_old();
    orphans = media_root_count("test-pull") - files;
    expect_orphans(files, orphans);
    ck_assert_uint_eq(expect_files(stored), files);
    printf("%d kills: %d submissions acknowledged, all with their files;"
           " %zu files of stored ones, %zu orphans found and deleted\n",
           kills, atomic_load(&acknowledged), files, orphans);
    free(stored);
    own_service_end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_acknowledged_submission_has_its_files),
    };
    static const struct story story = {
        .name = "uploads and kills",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 600,
    };

    return story_run(&story);
}

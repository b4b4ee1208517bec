/*
 * An LMS that is away: the results for it wait in the database, not in the
 * memory of the server, and leave when it is back.
 *
 * Its memory with 500 and with 2,000 undelivered results; with
 * XQUEUE_STRESS=full, with 10,000 and with 100,000, of which the first 10,000
 * come through the protocol and the others are written by SQL.
 */
#include "tests/support/load.h"
#include "tests/support/service_story.h"
#include "tests/support/stress.h"

#include "server/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
/* Every piece of memory has a margin of its own. */
enum { MARGIN_KB = 32 * 1024 };
#else
enum { MARGIN_KB = 8 * 1024 };
#endif

enum { CLIENTS = 16, RETURN_MS = 150000 };

struct size {
    int64_t few; /* undelivered results */
    int64_t many;
    int64_t back;  /* that must come once the LMS is back */
    int settle_ms; /* how long the server lives with `many` */
};

struct memory {
    long now_kb;
    long most_kb; /* ever */
};

static struct size size_of_run(void)
{
    if (stress_is_full())
        return (struct size){10000, 100000, 2000, 20000};
    return (struct size){500, 2000, 1000, 1000};
}

static long kilobytes(const char *status, const char *name)
{
    const char *line = strstr(status, name);

    ck_assert_msg(line != NULL, "no %s in a process's status", name);
    return strtol(line + strlen(name), NULL, 10);
}

static struct memory memory_of(pid_t pid, int64_t undelivered)
{
    struct memory memory;
    char path[64];
    char status[4096];
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "no %s", path);
    size = fread(status, 1, sizeof status - 1, file);
    fclose(file);
    status[size] = '\0';
    memory.now_kb = kilobytes(status, "VmRSS:");
    memory.most_kb = kilobytes(status, "VmHWM:");
    printf("%7lld undelivered: %ld KB resident, %ld KB at most\n",
           (long long)undelivered, memory.now_kb, memory.most_kb);
    fflush(stdout);
    return memory;
}

/* Until so many have results. */
static void submit_and_grade(struct history *history, struct sink *sink,
                             int64_t first, int64_t count)
{
    uint16_t port = service_port(service);
    struct load *load = load_start(&(struct load_settings){
        .history = history,
        .cookie = http_cookie(client, "sessionid"),
        .origin = sink_url(sink, ""),
        .ports = &port,
        .port_count = 1,
        .submitters = CLIENTS,
        .pollers = CLIENTS,
        .first = first,
        .enough = count,
    });

    load_wait_for_enough(load);
    load_wait_for_results(load,
                          history_count(history, EVENT_SUBMIT, OUTCOME_OK));
    load_end(load);
}

/*
 * As if that many more had been submitted, graded and answered: numbers from
 * `first` on, a thousand at a time.
 */
static void add_undelivered(struct sink *sink, int64_t first, int64_t count)
{
    const char *destination =
        mariadb_value("SELECT destination FROM xqueue_live LIMIT 1");
    const char *now = mariadb_value(
        "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)");
    const char *before = mariadb_value("SELECT MAX(id) FROM queue_submission");

    mariadb_run(
        "INSERT INTO queue_submission (requester_id, lms_callback_url,"
        " queue_name, xqueue_header, xqueue_body, s3_keys, s3_urls,"
        " arrival_time, pull_time, return_time, grader_id, pullkey,"
        " grader_reply, num_failures, lms_ack, retired)"
        " SELECT 'lms', CONCAT('%s/', n + %lld), 'test-pull', CONCAT("
        "'{\"lms_callback_url\": \"%s/', n + %lld, '\", \"lms_key\": \"k\","
        " \"queue_name\": \"test-pull\"}'), REPEAT('x', 1000), '{}', '{}',"
        " NOW(6), NOW(6), NOW(6), 'g', 'key',"
        " CONCAT('result of ', n + %lld, ' under key'), 0, 0, 0"
        " FROM " MARIADB_NUMBERS,
        sink_url(sink, ""), (long long)first - 1, sink_url(sink, ""),
        (long long)first - 1, (long long)first - 1, (int)count);
    mariadb_run("INSERT INTO xqueue_live (id, queue_id, arrival_us, state,"
                " attempts, problem, destination, pullkey, pulled_us,"
                " grader_id) SELECT id, (SELECT MIN(id) FROM xqueue_queue), %s,"
                " 2, 1, UNHEX(LEFT(SHA2(id, 256), 32)), %s, 'key', %s, 'g'"
                " FROM queue_submission WHERE id > %s",
                now, destination, now, before);
    mariadb_run("INSERT INTO xqueue_outbox (id, destination, due_us, attempts,"
                " kind, created_us, owner, reply) SELECT id, %s, %s, 0, 0, %s,"
                " NULL, NULL FROM queue_submission WHERE id > %s",
                destination, now, now, before);
}

static void expect_undelivered(int64_t least)
{
    int64_t there =
        strtoll(mariadb_value("SELECT COUNT(*) FROM xqueue_outbox"), NULL, 10);

    ck_assert_int_ge(there, least);
}

/* "/N" gets the result of N. */
static void check_received(struct received_list list)
{
    for (size_t i = 0; i < list.count; i++) {
        const struct received *received = &list.items[i];
        char start[64];

        snprintf(start, sizeof start, "result of %.*s under ",
                 (int)received->path.size - 1, received->path.data + 1);
        ck_assert_msg(text_starts_with(received->body, start), "%.*s to %.*s",
                      TEXT_ARGUMENTS(received->body),
                      TEXT_ARGUMENTS(received->path));
    }
}

static void come_back(struct sink *sink, int64_t count)
{
    int64_t begin_ms = clock_monotonic_ms();
    int64_t first_ms;

    sink_restart(sink);
    (void)sink_wait(sink, 1, RETURN_MS);
    first_ms = clock_monotonic_ms();
    check_received(sink_wait(sink, count, RETURN_MS));
    printf("the LMS is back: the first result after %lld ms, %lld results"
           " %lld ms later\n",
           (long long)(first_ms - begin_ms), (long long)count,
           (long long)(clock_monotonic_ms() - first_ms));
}

/* A sanitizer keeps what was freed for a while: of the server, not so much. */
static void forget_what_is_freed(void)
{
    const char *options = getenv("ASAN_OPTIONS");
    char more[512];

    snprintf(more, sizeof more, "%s:quarantine_size_mb=1",
             options == NULL ? "" : options);
    setenv("ASAN_OPTIONS", more, 1);
}

START_TEST(memory_stays_flat_while_results_wait_for_a_dead_lms)
{
    struct size size = size_of_run();
    struct history *history = history_new("test-pull");
    struct sink *sink = sink_start((size_t)size.many);
    struct memory few;
    struct memory many;

    forget_what_is_freed();
    sink_kill(sink);
    own_service_begin(&(struct service_settings){
        .more = "SUBMISSION_PROCESSING_DELAY: 10\n",
    });
    submit_and_grade(history, sink, 0, size.few);
    few = memory_of(service_pid(service), size.few);
    if (size.many > 10000)
        add_undelivered(sink, size.few * 2, size.many - size.few);
    else
        submit_and_grade(history, sink, size.few * 2, size.many - size.few);
    poll(NULL, 0, size.settle_ms);
    expect_undelivered(size.many);
    many = memory_of(service_pid(service), size.many);
    ck_assert_int_le(many.now_kb - few.now_kb, MARGIN_KB);
    ck_assert_int_le(many.most_kb - few.most_kb, MARGIN_KB);
    come_back(sink, size.back);
    history_free(history);
    own_service_end();
    sink_stop(sink);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(memory_stays_flat_while_results_wait_for_a_dead_lms),
    };
    static const struct story story = {
        .name = "undelivered",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 500,
    };

    return story_run(&story);
}

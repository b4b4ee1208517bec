/*
 * xqueue retire_failed_submissions and retire_old_submissions
 */
#include "server/cli/command.h"
#include "server/cli/work.h"

#include "db/retire.h"
#include "server/deliver/failure_message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct option_spec failed_specs[] = {
    {"force", 'f', NULL, "retire without telling the LMS"},
    {NULL, 0, NULL, NULL},
};

static const struct option_spec old_specs[] = {
    {"retire-before", 0, "TIME",
     "those that arrived until then: \"YYYY-MM-DD HH:MM:SS\", UTC"},
    {NULL, 0, NULL, NULL},
};

static enum exit_code run_failed(const struct options *options);
static enum exit_code run_old(const struct options *options);
static enum db_status retire_failed_in(struct work *work,
                                       struct text queue_name, bool force);
static bool is_time(const char *text);
static void tell(int64_t id, struct text queue_name, int64_t failures,
                 void *context);

static enum exit_code run_failed(const struct options *options)
{
    bool force = options_get(options, "force") != NULL;
    enum db_status status = DB_OK;
    struct work work;

    if (!work_begin_migrated(options, &work))
        return EXIT_FAILED;
    if (!work_adopt(&work)) {
        work_end(&work);
        return EXIT_FAILED;
    }
    if (options->word_count == 0)
        status = retire_failed_in(&work, TEXT_ABSENT, force);
    for (size_t i = 0; i < options->word_count && status == DB_OK; i++)
        status = retire_failed_in(&work, text_of(options->words[i]), force);
    if (status != DB_OK)
        work_failed(&work, "retiring", status);
    work_end(&work);
    return status == DB_OK ? EXIT_DONE : EXIT_FAILED;
}

static enum db_status retire_failed_in(struct work *work,
                                       struct text queue_name, bool force)
{
    const struct retire_settings settings = {
        .queue_name = queue_name,
        .failure = failure_message(),
        .progress = tell,
    };
    int64_t retired;

    return retire_failed(work->db, &settings,
                         work->config->max_number_of_failures, force, &retired);
}

static enum exit_code run_old(const struct options *options)
{
    struct retire_settings settings = {.failure = failure_message(),
                                       .progress = tell};
    const char *before = options_get(options, "retire-before");
    enum db_status status;
    struct work work;
    int64_t retired;

    if (options->word_count != 1) {
        fputs("xqueue: retire_old_submissions needs the name of one queue\n",
              stderr);
        return EXIT_USAGE;
    }
    if (before != NULL && !is_time(before)) {
        fprintf(stderr,
                "xqueue: --retire-before: expected a time such as"
                " \"2026-11-23 09:00:00\", found \"%s\"\n",
                before);
        return EXIT_FAILED;
    }
    if (!work_begin_migrated(options, &work))
        return EXIT_FAILED;
    settings.queue_name = text_of(options->words[0]);
    status = work_adopt(&work) ? DB_OK : DB_FAILED;
    if (status == DB_OK) {
        status = retire_old(work.db, &settings, text_of(before), &retired);
        if (status != DB_OK)
            work_failed(&work, "retiring", status);
    }
    work_end(&work);
    return status == DB_OK ? EXIT_DONE : EXIT_FAILED;
}

static bool is_time(const char *text)
{
    struct tm parts;
    const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &parts);

    if (end == NULL)
        end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    return end != NULL && *end == '\0';
}

static void tell(int64_t id, struct text queue_name, int64_t failures,
                 void *context)
{
    (void)context;
    printf("retiring submission %lld of queue '%.*s' (%lld failures)\n",
           (long long)id, TEXT_ARGUMENTS(queue_name), (long long)failures);
}

const struct command command_retire_failed = {
    .name = "retire_failed_submissions",
    .arguments = "[--force] [QUEUE...]",
    .summary = "Retire submissions with too many failures; tell the LMS.",
    .details = "Those with at least MAX_NUMBER_OF_FAILURES, of the named"
               " queues or of all.\nA running server tells the LMS and"
               " retires them once it has heard.",
    .options = failed_specs,
    .most_words = SIZE_MAX,
    .run = run_failed,
};

const struct command command_retire_old = {
    .name = "retire_old_submissions",
    .arguments = "QUEUE [--retire-before TIME]",
    .summary = "Retire the open submissions of a queue; tell the LMS.",
    .details = "They are retired at once; a running server tells the LMS.",
    .options = old_specs,
    .most_words = 1,
    .run = run_old,
};

/*
 * xqueue count_queued_submissions (R55)
 */
#include "server/cli/command.h"
#include "server/cli/work.h"

#include "db/retire.h"
#include "server/base/json.h"
#include "server/base/utf8.h"

#include <stdio.h>

enum { COLUMN = 30 };

static const struct option_spec specs[] = {
    {"newrelic", 0, NULL, NULL},
    {"cloudwatch", 0, NULL, NULL},
    {"json", 0, NULL, "one JSON object: {\"queue\": number, ...}"},
    {NULL, 0, NULL, NULL},
};

static void print_table(const struct queue_count *counts, size_t count);
static void print_json(const struct queue_count *counts, size_t count);

static enum exit_code run(const struct options *options)
{
    struct work work;
    struct queue_count *counts;
    size_t count;
    enum db_status status;

    if (options_get(options, "newrelic") != NULL ||
        options_get(options, "cloudwatch") != NULL) {
        fputs("xqueue: --newrelic and --cloudwatch are not supported;"
              " use --json\n",
              stderr);
        return EXIT_FAILED;
    }
    if (!work_begin_migrated(options, &work))
        return EXIT_FAILED;
    status = count_unretired(work.db, work.arena, &counts, &count);
    if (status != DB_OK)
        work_failed(&work, "counting", status);
    else if (options_get(options, "json") != NULL)
        print_json(counts, count);
    else
        print_table(counts, count);
    work_end(&work);
    return status == DB_OK ? EXIT_DONE : EXIT_FAILED;
}

/* Two columns of 30 and 10 characters, not bytes. */
static void print_table(const struct queue_count *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct text name = counts[i].queue_name;
        size_t width = utf8_length(name);

        printf("%.*s%*s %-10lld\n", TEXT_ARGUMENTS(name),
               width < COLUMN ? (int)(COLUMN - width) : 0, "",
               (long long)counts[i].count);
    }
}

static void print_json(const struct queue_count *counts, size_t count)
{
    struct buffer line = {NULL, 0, 0};

    buffer_append_char(&line, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_string(&line, ", ");
        json_append_string(&line, counts[i].queue_name);
        buffer_printf(&line, ": %lld", (long long)counts[i].count);
    }
    buffer_append_char(&line, '}');
    puts(line.data);
    buffer_free(&line);
}

const struct command command_count = {
    .name = "count_queued_submissions",
    .arguments = "[--json]",
    .summary = "Count the submissions of each queue that are not finished.",
    .details = "Most first; prints nothing when there are none.",
    .options = specs,
    .run = run,
};

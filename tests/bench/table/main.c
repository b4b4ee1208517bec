/*
 * What benchmarks have told, as one table or as curves:
 *
 *     bench_table text FILE           for a terminal, 100 columns
 *     bench_table markdown FILE       for the README
 *     bench_table plots FILE FOLDER   words for gnuplot
 *
 * FILE is what BENCH_JSON named while they ran.
 */
#include "tests/bench/table/plots.h"
#include "tests/bench/table/results.h"

#include <stdlib.h>
#include <string.h>

static int usage(void);
static void print_text(const struct results *results);
static void print_markdown(const struct results *results);
static void print_sum(const struct results *results);

int main(int count, char **words)
{
    struct arena *arena = arena_new();
    struct results results;

    if (count < 3)
        return usage();
    results = results_read(arena, words[2]);
    if (strcmp(words[1], "text") == 0 && count == 3)
        print_text(&results);
    else if (strcmp(words[1], "markdown") == 0 && count == 3)
        print_markdown(&results);
    else if (strcmp(words[1], "plots") == 0 && count == 4)
        plots_print(&results, words[3]);
    else
        return usage();
    arena_free(arena);
    return EXIT_SUCCESS;
}

static int usage(void)
{
    fputs("usage: bench_table text|markdown FILE\n"
          "       bench_table plots FILE FOLDER\n",
          stderr);
    return 2;
}

static void print_text(const struct results *results)
{
    report_heading_print(stdout);
    for (size_t i = 0; i < results->count; i++) {
        const struct result *result = &results->items[i];

        switch (result->kind) {
        case RESULT_BEGIN:
            printf("\n%s: %s\n", result->bench, result->what);
            break;
        case RESULT_ROW:
            report_row_print(stdout, &result->row);
            break;
        case RESULT_WRONG:
            printf("WRONG: %s\n", result->text);
            break;
        case RESULT_POINT:
            break;
        }
    }
    print_sum(results);
}

static void print_markdown(const struct results *results)
{
    report_heading_print_markdown(stdout);
    for (size_t i = 0; i < results->count; i++) {
        const struct result *result = &results->items[i];

        if (result->kind == RESULT_BEGIN)
            printf("| **%s**: %s | | | | | | |\n", result->bench, result->what);
        else if (result->kind == RESULT_ROW)
            report_row_print_markdown(stdout, &result->row);
    }
    if (results->count > 0 && results->items[0].facts != NULL)
        printf("\nMeasured with %s.\n", results->items[0].facts);
}

static void print_sum(const struct results *results)
{
    size_t targets = 0;
    size_t met = 0;
    size_t wrong = 0;

    for (size_t i = 0; i < results->count; i++) {
        const struct result *result = &results->items[i];
        bool has_target = result->kind == RESULT_ROW &&
                          result->row.target.kind != TARGET_NONE;

        targets += has_target;
        met += has_target && report_row_is_met(&result->row);
        wrong += result->kind == RESULT_WRONG;
    }
    putchar('\n');
    if (targets > 0)
        printf("%zu of %zu targets are met. ", met, targets);
    if (wrong == 0)
        puts("All that must hold does.");
    else
        printf("%zu of what must hold %s not.\n", wrong,
               wrong == 1 ? "does" : "do");
}

/*
 * Lines of the table.
 */
#include "tests/bench/support/report_row.h"

#include "server/base/compiler.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>

static const struct report_row beside = {
    .figure = "32 clients",
    .unit = "/s",
    .baseline = "R1, 8 connections",
    .ours = 6123.4,
    .base = 10001.7,
    .ratio = 0.612,
    .low = 0.6,
    .high = 0.651,
    .target = {TARGET_AT_LEAST, 0.6},
};

static const struct report_row alone = {
    .figure = "memory",
    .unit = "MB",
    .ours = 31.27,
    .low = 30.1,
    .high = 33,
    .target = {TARGET_AT_MOST, 30},
};

static void expect(void (*print)(FILE *file, const struct report_row *row),
                   const struct report_row *row, const char *line)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    print(file, row);
    fclose(file);
    ck_assert_str_eq(text, line);
    free(text);
}

START_TEST(a_figure_beside_a_baseline)
{
    expect(report_row_print, &beside,
           "32 clients                  6,123/s   10,002/s R1, 8 connections"
           "    0.61 0.60-0.65     >= 0.6  yes\n");
}
END_TEST

START_TEST(a_figure_that_stands_alone)
{
    expect(report_row_print, &alone,
           "memory                      31.3 MB                              "
           "        30.1-33.0     <= 30   no\n");
}
END_TEST

START_TEST(no_blanks_at_the_end_of_a_line)
{
    struct report_row row = beside;

    row.target = NO_TARGET;
    expect(report_row_print, &row,
           "32 clients                  6,123/s   10,002/s R1, 8 connections"
           "    0.61 0.60-0.65\n");
}
END_TEST

START_TEST(rows_of_markdown)
{
    expect(report_row_print_markdown, &beside,
           "| 32 clients | 6,123/s | 10,002/s R1, 8 connections | 0.61 |"
           " 0.60-0.65 | >= 0.6 | yes |\n");
    expect(report_row_print_markdown, &alone,
           "| memory | 31.3 MB |  |  | 30.1-33.0 | <= 30 | no |\n");
}
END_TEST

START_TEST(three_figures_or_commas)
{
    static const struct {
        double value;
        const char *unit;
        const char *text;
    } cases[] = {
        {0, "", "0.000"},           {0.0423, "ms", "0.042 ms"},
        {1.234, "", "1.23"},        {45.67, "%", "45.7%"},
        {999.4, "/s", "999/s"},     {1000, "/s", "1,000/s"},
        {123456, "", "123,456"},    {1234567.8, "/s", "1,234,568/s"},
        {-1234, "MB", "-1,234 MB"},
    };
    char text[REPORT_NUMBER_SIZE];

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        report_number(text, cases[i].value, cases[i].unit);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(a_target_is_met_at_its_very_value)
{
    struct report_row row = beside;

    row.ratio = 0.6;
    ck_assert(report_row_is_met(&row));
    row.target = AT_MOST(0.6);
    ck_assert(report_row_is_met(&row));
    row.ratio = 0.601;
    ck_assert(!report_row_is_met(&row));
    row.target = NO_TARGET;
    ck_assert(report_row_is_met(&row));
}
END_TEST

STORY("report_row", TELL(a_figure_beside_a_baseline),
      TELL(a_figure_that_stands_alone), TELL(no_blanks_at_the_end_of_a_line),
      TELL(rows_of_markdown), TELL(three_figures_or_commas),
      TELL(a_target_is_met_at_its_very_value))

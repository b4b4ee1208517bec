/*
 * A line of the table. Numbers have three figures that count, or a comma for
 * every thousand.
 */
#include "tests/bench/support/report_row.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { CELL_SIZE = 2 * REPORT_NUMBER_SIZE + 4, LINE_SIZE = 1024 };

struct cells {
    char ours[REPORT_NUMBER_SIZE];
    char base[REPORT_NUMBER_SIZE];
    char ratio[REPORT_NUMBER_SIZE];
    char spread[CELL_SIZE];
    char target[CELL_SIZE];
    const char *met;
};

static struct cells cells_of(const struct report_row *row);
static void print_line(FILE *file, const char *figure, const char *baseline,
                       const struct cells *cells);
static void with_commas(char text[REPORT_NUMBER_SIZE], double value);

void report_heading_print(FILE *file)
{
    print_line(file, "figure", "",
               &(struct cells){.ours = "ours",
                               .base = "baseline",
                               .ratio = "ratio",
                               .spread = "spread",
                               .target = "target",
                               .met = "met"});
}

void report_row_print(FILE *file, const struct report_row *row)
{
    struct cells cells = cells_of(row);

    print_line(file, row->figure, row->baseline != NULL ? row->baseline : "",
               &cells);
}

void report_heading_print_markdown(FILE *file)
{
    fputs("| | ours | baseline | ratio | spread | target | met |\n"
          "|---|--:|---|--:|---|---|---|\n",
          file);
}

void report_row_print_markdown(FILE *file, const struct report_row *row)
{
    struct cells cells = cells_of(row);

    fprintf(file, "| %s | %s | %s%s%s | %s | %s | %s | %s |\n", row->figure,
            cells.ours, cells.base, row->baseline != NULL ? " " : "",
            row->baseline != NULL ? row->baseline : "", cells.ratio,
            cells.spread, cells.target, cells.met);
}

bool report_row_is_met(const struct report_row *row)
{
    double value = row->baseline != NULL ? row->ratio : row->ours;

    switch (row->target.kind) {
    case TARGET_NONE:
        return true;
    case TARGET_AT_LEAST:
        return value >= row->target.value;
    case TARGET_AT_MOST:
        return value <= row->target.value;
    }
    return false;
}

void report_number(char text[REPORT_NUMBER_SIZE], double value,
                   const char *unit)
{
    double size = fabs(value);
    size_t length;

    if (size >= 1000 && isfinite(value))
        with_commas(text, value);
    else
        snprintf(text, REPORT_NUMBER_SIZE, "%.*f",
                 size < 1     ? 3
                 : size < 10  ? 2
                 : size < 100 ? 1
                              : 0,
                 value);
    length = strlen(text);
    snprintf(text + length, REPORT_NUMBER_SIZE - length, "%s%s",
             isalpha((unsigned char)unit[0]) ? " " : "", unit);
}

static struct cells cells_of(const struct report_row *row)
{
    const char *signs[] = {
        [TARGET_NONE] = "", [TARGET_AT_LEAST] = ">=", [TARGET_AT_MOST] = "<="};
    struct cells cells = {.met = ""};
    char low[REPORT_NUMBER_SIZE];
    char high[REPORT_NUMBER_SIZE];

    report_number(cells.ours, row->ours, row->unit);
    if (row->baseline != NULL) {
        report_number(cells.base, row->base, row->unit);
        snprintf(cells.ratio, sizeof cells.ratio, "%.2f", row->ratio);
        snprintf(cells.spread, sizeof cells.spread, "%.2f-%.2f", row->low,
                 row->high);
    } else {
        report_number(low, row->low, "");
        report_number(high, row->high, "");
        snprintf(cells.spread, sizeof cells.spread, "%s-%s", low, high);
    }
    if (row->target.kind != TARGET_NONE) {
        snprintf(cells.target, sizeof cells.target, "%s %g",
                 signs[row->target.kind], row->target.value);
        cells.met = report_row_is_met(row) ? "yes" : "no";
    }
    return cells;
}

/* Without the blanks of columns that are empty at the end. */
static void print_line(FILE *file, const char *figure, const char *baseline,
                       const struct cells *cells)
{
    char line[LINE_SIZE];
    size_t size;

    snprintf(line, sizeof line, "%-24s %10s %10s %-18s %6s %-13s %-7s %s",
             figure, cells->ours, cells->base, baseline, cells->ratio,
             cells->spread, cells->target, cells->met);
    size = strlen(line);
    while (size > 0 && line[size - 1] == ' ')
        size--;
    fprintf(file, "%.*s\n", (int)size, line);
}

static void with_commas(char text[REPORT_NUMBER_SIZE], double value)
{
    char digits[REPORT_NUMBER_SIZE / 2];
    size_t out = 0;
    size_t count;

    snprintf(digits, sizeof digits, "%.0f", value);
    count = strlen(digits);
    for (size_t i = 0; i < count && out < REPORT_NUMBER_SIZE - 2; i++) {
        text[out++] = digits[i];
        if (isdigit((unsigned char)digits[i]) && i + 1 < count &&
            (count - 1 - i) % 3 == 0)
            text[out++] = ',';
    }
    text[out] = '\0';
}

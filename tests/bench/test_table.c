/*
 * The table of all benchmarks, from what they have written down.
 */
#include "server/base/memory.h"
#include "tests/bench/support/report_json.h"
#include "tests/support/program.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { END_MS = 30000 };

static struct arena *arena;
static char path[] = "/tmp/xqueue-test-lines-XXXXXX";

static void begin(void)
{
    int file = mkstemp(path);

    ck_assert_int_ne(file, -1);
    close(file);
    setenv("BENCH_JSON", path, 1);
    arena = arena_new();
}

static void end(void)
{
    unlink(path);
    arena_free(arena);
}

static void tell_begin(const char *bench, const char *what)
{
    struct buffer line = {NULL, 0, 0};

    report_json_begin(&line, bench, "begin");
    report_json_text(&line, "what", what);
    report_json_text(&line, "facts", "a database");
    report_json_end(&line);
}

static void tell_row(const char *bench, double ratio)
{
    struct buffer line = {NULL, 0, 0};

    report_json_begin(&line, bench, "row");
    report_json_text(&line, "figure", "32 clients");
    report_json_text(&line, "unit", "/s");
    report_json_number(&line, "ours", 1000 * ratio);
    report_json_text(&line, "baseline", "R1");
    report_json_number(&line, "base", 1000);
    report_json_number(&line, "ratio", ratio);
    report_json_number(&line, "low", ratio);
    report_json_number(&line, "high", ratio);
    report_json_text(&line, "target", "at least");
    report_json_number(&line, "target_value", 0.5);
    report_json_end(&line);
}

static void tell_point(const char *bench, const char *curve, const char *axis,
                       double x)
{
    struct buffer line = {NULL, 0, 0};

    report_json_begin(&line, bench, "point");
    report_json_text(&line, "curve", curve);
    report_json_text(&line, "axis", axis);
    report_json_number(&line, "x", x);
    report_json_text(&line, "unit", "/s");
    report_json_number(&line, "y", 7);
    report_json_number(&line, "low", 6);
    report_json_number(&line, "high", 8);
    report_json_end(&line);
}

static const char *run(const char *how, const char *folder)
{
    const char *words[] = {BINARY_DIR "/tests/bench_table", how, path, folder,
                           NULL};
    struct program *program = program_start(words, NULL);
    const char *output;

    ck_assert_int_eq(program_wait_for_exit(program, END_MS), 0);
    output = arena_string(arena, program_output(program, arena));
    program_free(program);
    return output;
}

static void expect_words(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) != NULL, "no \"%s\" in\n%s", words, text);
}

START_TEST(a_table_for_a_terminal)
{
    struct buffer line = {NULL, 0, 0};
    const char *text;

    tell_begin("a", "this and \"that\"");
    tell_row("a", 0.25);
    tell_row("a", 0.75);
    tell_begin("b", "more");
    report_json_begin(&line, "b", "wrong");
    report_json_text(&line, "text", "a row is lost");
    report_json_end(&line);
    text = run("text", NULL);
    ck_assert_ptr_null(strstr(text, "All that must hold does."));
    expect_words(text, "\na: this and \"that\"\n32 clients ");
    expect_words(text, " 250/s    1,000/s R1 ");
    expect_words(text, "\nWRONG: a row is lost\n");
    expect_words(text, "\n1 of 2 targets are met. "
                       "1 of what must hold does not.\n");
}
END_TEST

START_TEST(a_table_for_the_readme)
{
    const char *text;

    tell_begin("a", "this and \"that\"");
    tell_row("a", 0.25);
    text = run("markdown", NULL);
    expect_words(text, "| **a**: this and \"that\" |");
    expect_words(text, "\n| 32 clients | 250/s | 1,000/s R1 | 0.25 |");
    expect_words(text, "\n\nMeasured with a database.\n");
}
END_TEST

START_TEST(a_plot_for_each_pair_of_axes)
{
    const char *text;

    tell_point("a", "pull", "clients", 1);
    tell_point("a", "submit", "clients", 1);
    tell_point("a", "pull", "clients", 30);
    tell_point("a", "pull", "depth", 1);
    tell_point("b", "pull", "clients", 29);
    text = run("plots", "folder");
    expect_words(text, "$curve0 << END\n1 7 6 8\n30 7 6 8\nEND\n");
    expect_words(text, "set output 'folder/a.svg'\nset title 'a'\n"
                       "set xlabel 'clients'\nset logscale x\n");
    expect_words(text, "set ylabel 'per second'\nset key\n"
                       "plot $curve0 using 1:2:3:4 with yerrorlines title "
                       "'pull', $curve1 ");
    expect_words(text, "set output 'folder/a-2.svg'\nset title 'a'\n"
                       "set xlabel 'depth'\nunset logscale x\n");
    expect_words(text, "set output 'folder/b.svg'\n");
}
END_TEST

START_TEST(a_plot_has_the_title_of_its_benchmark)
{
    const char *text;

    tell_begin("other", "something else");
    tell_begin("a", "an LMS's requests");
    tell_point("a", "pull", "clients", 1);
    text = run("plots", "folder");
    expect_words(text, "\nset title 'a: an LMS''s requests'\n");
}
END_TEST

START_TEST(marks_stand_where_something_was_measured)
{
    const char *text;

    tell_point("a", "pull", "waiting", 100);
    tell_point("a", "pull", "waiting", 1000000);
    tell_point("b", "pull", "waiting", 0);
    tell_point("b", "pull", "waiting", 100);
    tell_point("c", "pull", "waiting", 5);
    text = run("plots", "folder");
    expect_words(text, "set logscale x\nset xrange [75.8577575:1318256.739]\n"
                       "set xtics ('100' 100, '1,000,000' 1000000)\n");
    expect_words(text, "unset logscale x\nset xrange [-3:103]\n"
                       "set xtics ('0' 0, '100' 100)\n");
    expect_words(text, "unset logscale x\nset xrange [4:6]\n");
}
END_TEST

START_TEST(one_curve_needs_no_key)
{
    const char *text;

    tell_point("a", "pull", "clients", 1);
    tell_point("a", "pull", "clients", 8);
    text = run("plots", "folder");
    expect_words(text, "\nunset key\nplot $curve0 ");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_table_for_a_terminal),
        TELL(a_table_for_the_readme),
        TELL(a_plot_for_each_pair_of_axes),
        TELL(a_plot_has_the_title_of_its_benchmark),
        TELL(marks_stand_where_something_was_measured),
        TELL(one_curve_needs_no_key)};
    static const struct story story = {
        .name = "table",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}

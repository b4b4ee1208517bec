#!/bin/bash
# Run benchmarks one after the other, then show one table.
#
#     run.sh FOLDER [NAME...]    the build folder; all of them without names
#
# The folder gets bench.txt (the table), bench.json (all that was measured),
# curves/*.svg, and bench/NAME.lines of each, which stay until it runs again:
# readme.sh takes them. With BENCH_SHORT=1 each takes a moment and only shows
# that it works. Fails when one has found a loss, a duplicate or the like; never
# because of a figure. Closes with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

folder=$1
shift
parts=$folder/bench${BENCH_SHORT:+-short}
lines=$folder/bench.lines
passed=0
failed=0
PATH=$PATH:/usr/sbin

# Two of them need minutes to say anything.
if [ $# -eq 0 ]; then
    for source in tests/bench/bench_*.c; do
        name=$(basename "$source" .c)
        case ${BENCH_SHORT:-}$name in
        1bench_isolation | 1bench_uploads) ;;
        *) set -- "$@" "${name#bench_}" ;;
        esac
    done
fi

mkdir -p "$parts"
: >"$lines"
number=0
for name in "$@"; do
    number=$((number + 1))
    printf '\n[%4d s] benchmark %d of %d: %s\n' $SECONDS $number $# "$name"
    : >"$parts/$name.lines"
    # Without the words of the frame of tests, unless it has failed.
    if BENCH_JSON=$parts/$name.lines "$folder/tests/bench_$name" |
        grep --line-buffered -vE '^(Running suite|100%: Checks)'; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s: FAILED\n' "$name"
    fi
    cat "$parts/$name.lines" >>"$lines"
done

{
    echo '['
    sed '$!s/$/,/' "$lines"
    echo ']'
} >"$folder/bench.json"
"$folder/tests/bench_table" text "$lines" >"$folder/bench.txt"
printf '\n'
cat "$folder/bench.txt"
if command -v gnuplot >/dev/null; then
    mkdir -p "$folder/curves"
    "$folder/tests/bench_table" plots "$lines" "$folder/curves" | gnuplot
fi
echo "All figures: $folder/bench.json; curves: $folder/curves/; $SECONDS s"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]

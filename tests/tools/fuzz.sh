#!/bin/bash
# Run each fuzz target for FUZZ_SECONDS (60) from its corpus, as many at a
# time as there are processors, and close with "N passed, N failed".
#
#     fuzz.sh FOLDER    where the targets were built
#
# What it finds is left in FOLDER/findings/; new inputs go to FOLDER/inputs/,
# not into the seed corpus tests/fuzz/corpus/NAME/.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

folder=$1
seconds=${FUZZ_SECONDS:-60}
mkdir -p "$folder/findings"

# fuzz TARGET: its name is fuzz_NAME
fuzz() {
    local name=${1##*/fuzz_}
    local inputs=$folder/inputs/$name
    local log=$folder/findings/$name.txt
    local corpus=tests/fuzz/corpus/$name
    mkdir -p "$inputs"
    if [ ! -d "$corpus" ]; then
        echo "fuzz $name: no corpus in $corpus"
        return 1
    fi
    if ! "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$folder/findings/$name-" \
        "$inputs" "$corpus" >"$log" 2>&1 </dev/null; then
        echo "fuzz $name: FAILED"
        tail -n 60 "$log"
        return 1
    fi
    sed -n "s/^stat::number_of_executed_units: */fuzz $name: executions /p" \
        "$log"
}

passed=0
failed=0
running=0
reap() {
    if wait -n; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    running=$((running - 1))
}
for target in "$folder"/tests/fuzz_*; do
    if [ ! -f "$target" ] || [ ! -x "$target" ]; then
        continue
    fi
    fuzz "$target" &
    running=$((running + 1))
    if [ $running -ge "$(nproc)" ]; then
        reap
    fi
done
while [ $running -gt 0 ]; do
    reap
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]

#!/bin/bash
# Run the tests of a build folder in parallel, show the output of those that
# fail, and close with "N passed, N failed": the sum over the checks of all
# test programs, where a lint counts as one, and so does a program that ended
# before it could count.
#
#     run_tests.sh FOLDER [CTEST-OPTION...]
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

folder=$1
shift

PATH=$PATH:/usr/sbin # where Debian keeps mariadbd

# Sanitizers make everything slower, and stop at the first finding.
export CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-4}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}

log=$folder/Testing/Temporary/LastTest.log
rm -f "$log"
ctest --test-dir "$folder" --output-on-failure --no-tests=error \
    -j "$(nproc)" "$@"
status=$?

if [ ! -f "$log" ]; then
    echo "0 passed, 1 failed"
    exit 1
fi
awk '
    # ctest says "Passed" in the log of a program that it did not find.
    /^(Unable to find executable|Could not find executable)/ { is_missing = 1 }
    match($0, /[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/) {
        split(substr($0, RSTART), words, /[ ,]+/)
        checks += words[3]
        bad += words[5] + words[7]
    }
    /^Test (Passed|Failed)\.$/ {
        if (checks == 0)
            checks = 1
        if (bad == 0 && (is_missing || /Failed/))
            bad = 1
        passed += checks - bad
        failed += bad
        checks = bad = is_missing = 0
    }
    END { printf "%d passed, %d failed\n", passed, failed }
' "$log" >"$folder/count.txt"
count=$(tail -n 1 "$folder/count.txt")
case $count in
*', 0 failed')
    if [ $status -ne 0 ]; then
        # ctest knows of a failure that its log does not tell.
        count="${count%, 0 failed}, 1 failed"
    fi
    ;;
*) status=1 ;;
esac
echo "$count"
[ $status -eq 0 ]

#!/bin/bash
# Run the lints alone, without a build:
#
#     lint.sh FOLDER    the build folder, for those that ask the program
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

export BINARY_DIR=$1
passed=0
failed=0
for lint in tests/lint/*.sh; do
    if output=$(bash "$lint" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- $lint"
        echo "$output"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]

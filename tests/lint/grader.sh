#!/bin/bash
# The grader that README.md prints is the one that the tests run.
set -euo pipefail
cd "$(dirname "$0")/../.."

grader=tests/fixtures/passive_grader.py
printed=$(sed -n '/^<!-- grader: begin /,/^<!-- grader: end /p' README.md |
    sed -e '1,2d' -e 's/^    //' | head -n -2)

if ! diff "$grader" <(printf '%s\n' "$printed"); then
    echo "README.md prints another grader than $grader"
    exit 1
fi

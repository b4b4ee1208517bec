#!/bin/bash
# The shell scripts pass shellcheck.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v shellcheck >/dev/null; then
    echo "shellcheck is missing: apt-get install shellcheck"
    exit 1
fi
scripts=$(find . \( -name .git -o -name 'build*' -o -name .run \) -prune -o \
    -type f \( -name '*.sh' -o -path './.ci/*' -o -path './docker/*/bin/*' \) \
    ! -name '*.txt' -print)
# shellcheck disable=SC2086 # one word per script
shellcheck $scripts

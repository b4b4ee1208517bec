#!/bin/bash
# clang-format has nothing to change ("make format" lets it).
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v clang-format >/dev/null; then
    echo "clang-format is missing: apt-get install clang-format"
    exit 1
fi
find server db tests -name '*.[ch]' -print0 |
    xargs -0 -n 16 -P "$(nproc)" clang-format --dry-run -Werror

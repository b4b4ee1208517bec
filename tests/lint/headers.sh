#!/bin/bash
# Every header compiles alone and has a guard of the repository.
set -euo pipefail
cd "$(dirname "$0")/../.."

flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -I."
for library in libmariadb mariadb mysqlclient json-c libcurl yaml-0.1; do
    flags="$flags $(pkg-config --cflags "$library" 2>/dev/null || true)"
done
export flags

check() {
    # shellcheck disable=SC2086 # one word per flag
    ${CC:-cc} $flags -Werror -fsyntax-only -x c - <<<"#include \"$1\"" ||
        return 1
    if ! grep -q '^#ifndef XQUEUE_' "$1"; then
        echo "$1: no guard that begins with XQUEUE_"
        return 1
    fi
}
export -f check

find server db tests -name '*.h' -print0 | sort -z |
    xargs -0 -P "$(nproc)" -I '{}' bash -c 'check {}'

#!/bin/bash
# The table of settings in README.md is the one the program prints.
#
#     BINARY_DIR=build options.sh            compare
#     BINARY_DIR=build options.sh --write    put the program's into README.md
set -euo pipefail
cd "$(dirname "$0")/../.."

xqueue=${BINARY_DIR:-build}/xqueue
first='<!-- settings: begin (written by "make settings") -->'
last='<!-- settings: end -->'

if [ ! -x "$xqueue" ]; then
    echo "no $xqueue yet: nothing to compare with"
    exit 0
fi
for marker in "$first" "$last"; do
    if ! grep -qxF -- "$marker" README.md; then
        echo "README.md lacks the line $marker"
        exit 1
    fi
done

table=$("$xqueue" settings --markdown)
readme=$(first=$first last=$last table=$table awk '
    $0 == ENVIRON["last"] { inside = 0 }
    !inside { print }
    $0 == ENVIRON["first"] {
        inside = 1
        print "\n" ENVIRON["table"] "\n"
    }' README.md)
if [ "${1:-}" = --write ]; then
    printf '%s\n' "$readme" >README.md
elif ! diff <(cat README.md) <(printf '%s\n' "$readme"); then
    echo 'README.md tells other settings than the program: make settings'
    exit 1
fi

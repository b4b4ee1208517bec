#!/bin/bash
# Plain text: no paths of somebody's machine, no blanks at the end of a line,
# no tabs where four blanks are meant, no notes to oneself.
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0

# files EXCEPT-REGEX: the text files of the repository
files() {
    find . \( -name .git -o -name 'build*' -o -name .run -o -name corpus \) \
        -prune -o -type f \( -name '*.[chS]' -o -name '*.sh' -o -name '*.sql' \
        -o -name '*.md' -o -name '*.txt' -o -name '*.awk' -o -name '*.yml' \
        -o -name '*.mk' -o -name Makefile -o -name 'Dockerfile*' \
        -o -path './.ci/*' \) -print | sort | grep -vE "$1" | tr '\n' '\0'
}

# refuse WHAT PERL-REGEX EXCEPT-REGEX
refuse() {
    local found
    found=$(files "$3" | xargs -0 grep -nP "$2" || true)
    if [ -n "$found" ]; then
        echo "$1:"
        echo "$found"
        bad=1
    fi
}

refuse 'A path of one machine' '/(work|root|home)/|/tmp/xq/' '^\./tests/lint/'
refuse 'Blanks at the end' '[ \t\r]+$' '^\./tests/fixtures/'
refuse 'Tabs' '\t' '(\.S|\.mk|/Makefile)$|^\./tests/fixtures/'
refuse 'Notes to oneself' '\b(TODO|FIXME|XXX|HACK)\b' '^\./tests/lint/'
exit $bad

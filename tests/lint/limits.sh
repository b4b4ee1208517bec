#!/bin/bash
# A file has at most 400 lines, a function at most 60, braces included.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck disable=SC2016 # the program is awk's
find server db -name '*.[ch]' -print0 | sort -z | xargs -0 awk '
    BEGIN { max_file = 400; max_function = 60 }
    FNR == 1 { name = "?"; inside = 0 }
    FNR == max_file + 1 {
        print FILENAME ": more than " max_file " lines"
        bad = 1
    }
    # The last line at the margin that opens a parameter list is the name.
    !inside && match($0, /^[a-zA-Z_].*\(/) {
        name = $0
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
    }
    /^\{/ { inside = 1; first = FNR }
    /^\}/ {
        if (inside && FNR - first + 1 > max_function) {
            print FILENAME ":" first ": " name "() has " FNR - first + 1 \
                " lines, more than " max_function
            bad = 1
        }
        inside = 0
    }
    END { exit bad }
'

#!/bin/bash
# Includes go downwards only: the real #include lines against layers.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

find server db -name '*.[ch]' -print0 | sort -z | xargs -0 grep -HnE \
    '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' | awk '
    BEGIN {
        while ((getline line < "tests/lint/layers.txt") > 0) {
            if (line ~ /^#/ || line == "")
                continue
            split(line, halves, ":")
            folder = halves[1]
            known[folder] = 1
            count = split(halves[2], below, " ")
            for (i = 1; i <= count; i++) {
                if (!(below[i] in known))
                    complain("layers.txt: " folder " includes from " below[i] \
                        ", which stands above it")
                allowed[folder, below[i]] = 1
            }
        }
    }
    {
        split($0, parts, ":")
        place = parts[1] ":" parts[2]
        from = folder_of(parts[1])
        header = $0
        sub(/^[^"]*"/, "", header)
        sub(/".*/, "", header)
        to = folder_of(header)
        if (!(from in known))
            complain(place ": the folder " from " is not in layers.txt")
        else if (!(to in known))
            complain(place ": \"" header "\" is not a path from the top of" \
                " the repository into a layer")
        else if (from != to && !((from, to) in allowed))
            complain(place ": " from " may not include from " to)
    }
    function folder_of(path) {
        sub(/\/[^\/]*$/, "", path)
        return path
    }
    function complain(words) {
        print words
        bad = 1
    }
    END { exit bad }
'

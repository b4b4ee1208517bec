#!/bin/bash
# tests/REQUIREMENTS.md and the rest agree: every Rnn that is spoken of is a
# row of its table, every row names a test or says that it is for later, and
# every test that is named exists.
set -euo pipefail
cd "$(dirname "$0")/../.."

table=tests/REQUIREMENTS.md
bad=0

complain() {
    echo "$1"
    bad=1
}

# The first cell of each row.
rows=$(sed -n 's/^| \(R[0-9][0-9]*\) |.*/\1/p' "$table")
doubled=$(echo "$rows" | sort | uniq -d)
[ -z "$doubled" ] || complain "$table: more than one row: ${doubled//$'\n'/ }"

# file:line:Rnn
while IFS=: read -r file line number; do
    grep -qxF "$number" <<<"$rows" ||
        complain "$file:$line: $number is no row of $table"
done < <(grep -rnowE --include='*.[ch]' --include='*.sql' --include='*.sh' \
    --exclude-dir=fixtures 'R[0-9]{1,3}' server db migrations tests)

# Rnn file test: words in backticks of the last cell, where one that ends in
# .c is the file of those behind it.
while read -r number file test; do
    if [ "$file" = none ]; then
        complain "$table: $number names no test"
    elif [ ! -f "tests/$file" ]; then
        complain "$table: $number: no file tests/$file"
    elif ! grep -qxF "START_TEST($test)" "tests/$file"; then
        complain "$table: $number: no test $test in tests/$file"
    fi
done < <(awk -F ' [|] ' '
    /^[|] R[0-9]+ [|]/ {
        number = $1
        sub(/^[|] /, "", number)
        file = "none"
        count = split($NF, words, "`")
        tests = 0
        for (i = 2; i <= count; i += 2) {
            if (words[i] ~ /[.]c$/)
                file = words[i]
            else {
                print number, file, words[i]
                tests++
            }
        }
        if (tests == 0 && $NF !~ /^not yet: /)
            print number, "none", "none"
    }' "$table")
exit $bad

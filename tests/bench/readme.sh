#!/bin/bash
# Put what was measured into README.md, and the curves beside this script.
#
#     readme.sh FOLDER    the build folder that run.sh has filled: what each
#                         benchmark has told last, unless in the short form
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
curves=tests/bench/curves
first='<!-- benchmarks: begin (written by "make bench README=1") -->'
last='<!-- benchmarks: end -->'

for marker in "$first" "$last"; do
    if ! grep -qxF -- "$marker" README.md; then
        echo "README.md lacks the line $marker"
        exit 1
    fi
done

lines=$folder/readme.lines
cat "$folder"/bench/*.lines >"$lines"
if grep -F '"kind": "wrong"' "$lines"; then
    echo "such figures are not for README.md"
    exit 1
fi

mkdir -p $curves
rm -f $curves/*.svg
"$folder/tests/bench_table" plots "$lines" $curves | gnuplot
table=$("$folder/tests/bench_table" markdown "$lines")
for file in "$curves"/*.svg; do
    name=$(basename "$file" .svg)
    table+=$'\n\n'"![$name]($file)"
done
readme=$(first=$first last=$last table=$table awk '
    $0 == ENVIRON["last"] { inside = 0 }
    !inside { print }
    $0 == ENVIRON["first"] {
        inside = 1
        print "\n" ENVIRON["table"] "\n"
    }' README.md)
printf '%s\n' "$readme" >README.md

#!/bin/bash
# Configure a build folder when it is new, then build a target:
#
#     build.sh FOLDER TARGET... [-DNAME=VALUE...]
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
shift
targets=()
options=()
for word in "$@"; do
    case $word in
    -D*) options+=("$word") ;;
    *) targets+=("$word") ;;
    esac
done

# One at a time: containers may share the folder.
mkdir -p "$folder"
exec {lock}>"$folder/build.lock"
flock "$lock"

if [ ! -f "$folder/build.ninja" ]; then
    if ! cmake -S . -B "$folder" -G Ninja "${options[@]}" \
        >"$folder/configure.txt" 2>&1; then
        cat "$folder/configure.txt" >&2
        exit 1
    fi
fi
# The progress lines are for a terminal; a log gets them only on failure.
if [ -t 1 ]; then
    ninja -C "$folder" "${targets[@]}"
elif ! ninja -C "$folder" "${targets[@]}" >"$folder/build.txt" 2>&1; then
    grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$folder/build.txt" >&2
    exit 1
else
    grep -E 'warning:' "$folder/build.txt" >&2 || true
fi

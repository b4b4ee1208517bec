#!/bin/bash
# What is not used here: functions that cannot be used safely, or that stop
# the loop; and variables that everybody may change.
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0

# Functions, everywhere.
words='strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|atoi|atol|atoll'
words="$words|atof|gets|alloca|localtime|gmtime|asctime|ctime|system|rand"
words="$words|srand|usleep|sleep|nanosleep"
found=$(find server db tests -name '*.[ch]' -print0 | sort -z |
    xargs -0 awk -f tests/lint/strip.awk |
    grep -E "(^|[^A-Za-z0-9_>.])($words)[[:space:]]*\\(" || true)
if [ -n "$found" ]; then
    echo "Banned functions:"
    echo "$found"
    bad=1
fi

# Variables that outlive a call and are not const, in the program. log.c keeps
# the level and the format, log_output.c the lines that are held; a struct
# log_once counts repeats at its place. A line "TYPE name;" whose type is that
# of a function declares a function.
functions=$(grep -rohE --include='*.[ch]' 'typedef[^;()]*\(' server db |
    sed -E 's/.*[ *]([A-Za-z0-9_]+)\($/\1/' | sort -u | tr '\n' ' ')
found=$(find server db -name '*.[ch]' ! -path 'server/base/log*.c' -print0 |
    sort -z | xargs -0 awk -f tests/lint/strip.awk |
    functions=$functions awk '
        BEGIN {
            count = split(ENVIRON["functions"], names, " ")
            for (i = 1; i <= count; i++)
                is_function[names[i]] = 1
        }
        {
            code = $0
            sub(/^[^:]*:[^:]*:/, "", code)
            sub(/[=;[].*/, "", code)
            type = code
            sub(/^[ ]*((static|extern) )?/, "", type)
            sub(/ .*/, "", type)
            is_variable = $0 ~ /[=;[]/ && code !~ /[(){}]/ &&
                !(type in is_function) &&
                code !~ /(^|[^a-z_])const([^a-z_]|$)|struct log_once/
        }
        is_variable &&
            code ~ /^[ ]*(static|_Thread_local) .*[a-z0-9_][ ]*$/ { print }
        is_variable && code ~ /^[a-z_0-9]+ [a-z_0-9 *]*[a-z0-9_][ ]*$/ &&
            code !~ /^(static|typedef|extern|enum|goto|return) / &&
            code !~ /^struct [a-z_0-9]+[ ]*$/ { print }' || true)
if [ -n "$found" ]; then
    echo "Variables that outlive a call and are not const:"
    echo "$found"
    bad=1
fi
exit $bad

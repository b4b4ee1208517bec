#!/bin/bash
# One library, one door: who may include what, and who may make threads.
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0

# door WHAT EXTENDED-REGEX FILE-REGEX
door() {
    local found
    found=$(grep -rnE "$2" --include='*.[ch]' server db |
        grep -vE "^($3):" || true)
    if [ -n "$found" ]; then
        echo "$1 only in $3:"
        echo "$found"
        bad=1
    fi
}

# includes HEADER-REGEX FILE-REGEX
includes() {
    door "<$1>" "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$1" "$2"
}

includes '(mysql|mariadb|mysql/[a-z_]*|errmsg|mysqld_error)\.h' \
    'db/mysql_private\.h'
includes 'event2/http[a-z_]*\.h' 'server/http/[^:]*'
includes 'curl/' 'server/fetch/fetch[^:/]*'
includes '(json-c/|json\.h)' 'server/base/json[^:/]*\.c'
includes 'yaml\.h' 'server/config/[^:]*'
includes 'expat\.h' 'server/storage/s3_xml\.c'
includes 'openssl/' 'server/base/crypto[^:/]*\.c'
door 'pthread_create()' '\<pthread_create\>' 'server/base/workers\.c'
exit $bad

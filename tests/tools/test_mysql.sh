#!/bin/bash
# Run the tests that use a database on a MySQL in a container:
#
#     test_mysql.sh IMAGE FOLDER [CTEST-OPTION...]
#
# IMAGE is MySQL's own (mysql:8.4) or one that takes the same variables, FOLDER
# a build folder. The server is in memory and gone at the end; it does not
# flush, for these tests do not stop it: those that do have one of their own.
# Without CTEST-OPTIONs all that is labelled db or service runs.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -lt 2 ]; then
    echo "usage: test_mysql.sh IMAGE FOLDER [CTEST-OPTION...]" >&2
    exit 2
fi
image=$1
folder=$2
shift 2
[ $# -gt 0 ] || set -- -L 'db|service'

password=$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \n')
container=$(docker run --detach --tmpfs /var/lib/mysql:size=2g \
    --env MYSQL_ROOT_PASSWORD="$password" --publish 127.0.0.1::3306 "$image" \
    --skip-log-bin --innodb-flush-log-at-trx-commit=0 \
    --innodb-doublewrite=OFF --max-allowed-packet=16M)
trap 'docker rm --force --volumes "$container" >/dev/null' EXIT
trap 'exit 130' INT TERM

# The image's first server listens at no port: it only makes the users.
answers() {
    docker exec --env MYSQL_PWD="$password" "$container" \
        mysqladmin --host=127.0.0.1 --user=root ping >/dev/null 2>&1
}
for _ in $(seq 240); do
    if answers; then
        break
    fi
    sleep 0.5
done
answers || {
    docker logs --tail 20 "$container" >&2
    echo "the MySQL of $image does not start" >&2
    exit 1
}

address=$(docker port "$container" 3306/tcp | head -n 1)
export XQUEUE_TEST_DATABASE=$address:root:$password
tests/tools/run_tests.sh "$folder" "$@"

#!/bin/bash
# Build with Oracle's libmysqlclient and run tests on private MySQL servers, in
# a container of a Debian that has both, which Debian 12 has not:
#
#     test_libmysqlclient.sh IMAGE [CTEST-OPTION...]
#
# IMAGE is such as debian:sid-slim. Without CTEST-OPTIONs what runs is the
# tests of db/ and those of the service that lean on the database most. What
# else differs on that Debian (curl, Swift) is not looked at here.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -lt 1 ]; then
    echo "usage: test_libmysqlclient.sh IMAGE [CTEST-OPTION...]" >&2
    exit 2
fi
base=$1
shift
service='smoke|submit|get_submission|put_result|database|commands_database'
[ $# -gt 0 ] || set -- -R "^db\.|^service\.test_($service|push_recovery)"

packages=$(tests/tools/packages.sh --list run | grep -v mariadb | tr '\n' ' ')
image=$(
    docker build --quiet - <<DOCKERFILE
FROM $base
RUN apt-get -o Acquire::Check-Valid-Until=false update -q && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends $packages openssl python3 \
        libmysqlclient-dev mysql-server-core
DOCKERFILE
)
docker run --rm --init --volume "$PWD:/src:ro" --workdir /src \
    --tmpfs /tmp:exec --env XQUEUE_TEST_MYSQLD=/usr/sbin/mysqld "$image" \
    bash -c 'tests/tools/build.sh /build all -DMYSQL_CLIENT=mysql \
        -DWARNINGS_ARE_ERRORS=ON -DCMAKE_BUILD_TYPE=Debug &&
    ldd /build/xqueue | grep libmysqlclient &&
    tests/tools/run_tests.sh /build "$@"' bash "$@"

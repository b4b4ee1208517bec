# Stories about containers: sourced by the others. Each begins with its name:
#
#     tell 'a container stops at once' its_function
#
# A story is over at its first command that fails; what it printed is shown.
# The images are $images:run, $images:dev and $images:tutor, upon $base.
# shellcheck shell=bash

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

images=${XQUEUE_TEST_IMAGES:-xqueue-test}
base=$(sed -n 's/^ARG BASE=//p' docker/Dockerfile)
project=xqueue-test-$$
passed=0
failed=0

tell() {
    local log status
    log=$(mktemp)
    (
        set -e
        "$2"
    ) >"$log" 2>&1 </dev/null
    status=$?
    if [ $status -eq 0 ]; then
        echo "ok      $1"
        passed=$((passed + 1))
    else
        echo "FAILED  $1"
        sed 's/^/        /' "$log"
        failed=$((failed + 1))
    fi
    rm "$log"
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# expect WHAT WANTED FOUND
expect() {
    if [ "$2" != "$3" ]; then
        echo "$1: expected $2, found $3"
        return 1
    fi
}

# within SECONDS COMMAND...: it succeeds before that time has passed
within() {
    local end=$((SECONDS + $1)) output
    shift
    until output=$("$@" 2>&1); do
        if [ $SECONDS -ge $end ]; then
            echo "not in time: $*"
            echo "$output"
            return 1
        fi
        sleep 0.1
    done
}

# milliseconds COMMAND...: what it takes, on standard output
milliseconds() {
    local begin
    begin=$(date +%s%3N)
    "$@" >/dev/null
    echo $(($(date +%s%3N) - begin))
}

# copy_source FOLDER: this source tree, without what is built in it
copy_source() {
    mkdir "$1"
    tar --anchored --exclude=./.git --exclude='./build*' --exclude=./.run \
        -c . | tar -C "$1" -x
}

# over_base IMAGE: megabytes
over_base() {
    local size base_size
    size=$(docker image inspect --format '{{.Size}}' "$1")
    base_size=$(docker image inspect --format '{{.Size}}' "$base")
    echo $(((size - base_size) / 1000000))
}

# address_of CONTAINER: from here
address_of() {
    docker inspect --format \
        '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"
}

exit_code() {
    docker inspect --format '{{.State.ExitCode}}' "$1"
}

is_healthy() {
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]
}

# The compose file as it is, with the peers of tests/docker/compose.yml.
compose() {
    docker compose --project-name "$project" --file docker/compose.yml \
        --file tests/docker/compose.yml "$@"
}

# of SERVICE: its container
of() {
    compose ps --all --quiet "$1"
}

# Passwords of our own, whatever docker/.env says.
export XQUEUE_TEST_IMAGES=$images
export XQUEUE_IMAGE=$images:run
export XQUEUE_DB_PASSWORD=database-password
export XQUEUE_USERS='{"lms": "password"}'
export PUBLISH=127.0.0.1:0

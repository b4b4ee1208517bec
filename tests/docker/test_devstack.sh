#!/bin/bash
# devstack.mk, used from a copy of this source tree: alone, and beside a
# Devstack.
#
#     test_devstack.sh [--full]    with --full "make test" in the container too
# shellcheck disable=SC2317 # tell() calls the functions
# shellcheck source=tests/docker/story.sh
. "$(dirname "$0")/story.sh"

port=$((20000 + $$ % 10000))
server=http://localhost:$port
lms=http://localhost:$((port + 10000))
work=$(mktemp -d)
export COMPOSE_PROJECT_NAME=$project
export XQUEUE_DEV_IMAGE=$images:dev
export XQUEUE_DEV_PORT=$port
export SAMPLE_LMS_PORT=$((port + 10000))
export MYSQL_IMAGE=${MYSQL_IMAGE:-mysql:8.0}
unset DEVSTACK_WORKSPACE

# target NAME: of the copy's Makefile
target() {
    make --no-print-directory -C "$work/xqueue" "$@"
}

# container SERVICE: also one that has ended
container() {
    docker ps -aq --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1"
}

clean() {
    target dev.down.xqueue
    [ ! -d "$work/devstack" ] || make -C "$work/devstack" down
    docker volume ls -q --filter "name=${project}_" | xargs -r docker volume rm
    rm -rf "$work"
}

lists_the_targets() {
    local list name
    list=$(target help)
    for name in provision up check wait-for shell dbshell logs restart stop \
        down; do
        grep -qF "make dev.$name.xqueue " <<<"$list"
    done
    grep -qF 'make dev.up.xqueue+xqueue_consumer ' <<<"$list"
    grep -qF ' xqueue-shell ' <<<"$list"
}

provisions() {
    target dev.provision.xqueue
}

shows_the_users() {
    target dev.dbshell.xqueue <<<'SELECT username FROM auth_user' | grep -x lms
}

starts_and_is_well() {
    target dev.up.xqueue
    target dev.check.xqueue | grep -F '"content": "OK"'
}

# is_graded pull|push
is_graded() {
    tests/docker/exchange.sh "$server" http://sample-lms:18041 "$lms" "$1"
}

starts_the_sample() {
    target dev.up.xqueue+sample
    target dev.wait-for.xqueue
    within 60 curl -fsS "$lms/received"
}

is_pulled() {
    is_graded pull
}

is_pushed() {
    is_graded push
}

# logged SERVICE PATTERN: now or within a minute
logged() {
    grep -m1 "$2" < <(timeout 60 docker logs --follow "$(container "$1")" 2>&1)
}

starts_the_consumer() {
    target dev.up.xqueue+xqueue_consumer
    logged xqueue_consumer ' delivering '
}

shows_the_log() {
    grep -m1 ' listening ' < <(timeout 20 make -C "$work/xqueue" \
        dev.logs.xqueue)
}

status_file=server/api/status.c

# edit SED-COMMAND: a file of the copy, and restart what serves it
edit() {
    sed -i "$1" "$work/xqueue/$status_file"
    target dev.restart.xqueue
}

serves_an_edit() {
    edit 's/"OK"/"edited"/'
    target dev.wait-for.xqueue
    target dev.check.xqueue | grep -F '"content": "edited"'
}

serves_no_broken_edit() {
    edit '1i this is no C'
    logged xqueue "$status_file:.* error: "
    if target dev.check.xqueue >"$work/check" 2>&1; then
        return 1
    fi
    grep "$status_file:.* error: " "$work/check"
}

serves_a_mended_one() {
    edit '1d; s/"edited"/"OK"/'
    target dev.wait-for.xqueue
    target dev.check.xqueue | grep -F '"content": "OK"'
}

in_the_shell() {
    target xqueue-shell <<<"$1"
}

runs_a_test() {
    # shellcheck disable=SC2016 # BUILD_ROOT is the container's
    in_the_shell 'tests/tools/build.sh $BUILD_ROOT/build-test db.test_user \
            -DSANITIZE=address -DCMAKE_BUILD_TYPE=Debug &&
        tests/tools/run_tests.sh $BUILD_ROOT/build-test -R "^db.test_user$"'
}

runs_all_tests() {
    in_the_shell 'make test'
}

leaves_the_tree_alone() {
    expect 'built in the source tree' '' "$(cd "$work/xqueue" && ls -d build*)"
}

is_python_otherwise() {
    in_the_shell 'python -c "print(6 * 7)"' | grep -x 42
    in_the_shell 'echo [1] | python -m json.tool --compact' | grep -xF '[1]'
}

stops_with_0() {
    target dev.stop.xqueue
    expect 'exit code' 0 "$(exit_code "$(container xqueue)")"
}

leaves_the_data_alone() {
    target dev.down.xqueue
    expect 'containers' '' "$(docker ps -aq --filter "name=$project")"
    starts_and_is_well
    shows_the_users
}

# What devstack.mk uses of a Devstack: two targets, the name of its project,
# and MySQL under its name in its network.
make_devstack() {
    mkdir "$work/devstack"
    cat >"$work/devstack/docker-compose.yml" <<YAML
services:
  mysql80:
    image: $MYSQL_IMAGE
    environment: {MYSQL_ALLOW_EMPTY_PASSWORD: "yes"}
    networks: {default: {aliases: [edx.devstack.mysql80]}}
    healthcheck:
      {test: mysqladmin --protocol=tcp -uroot ping, interval: 1s, retries: 90}
YAML
    cat >"$work/devstack/Makefile" <<MAKE
COMPOSE_PROJECT_NAME := ${project}_devstack
compose := docker compose -p \$(COMPOSE_PROJECT_NAME)
dev.up.mysql80: ; \$(compose) up -d mysql80
dev.wait-for.mysql80: ; \$(compose) up -d --wait mysql80
down: ; \$(compose) down --volumes
MAKE
}

joins_a_devstack() {
    target dev.down.xqueue
    make_devstack
    export DEVSTACK_WORKSPACE=$work
    provisions
    starts_and_is_well
    shows_the_users
    expect 'MySQL beside that of Devstack' '' "$(container mysql80)"
    expect 'networks' "${project}_devstack_default" "$(docker inspect --format \
        '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' \
        "$(container xqueue)")"
    target dev.down.xqueue
}

trap 'clean >/dev/null 2>&1' EXIT
copy_source "$work/xqueue"

tell 'make help lists the targets' lists_the_targets
tell 'dev.provision makes what is needed' provisions
tell 'dev.dbshell shows the users that were made' shows_the_users
tell 'dev.provision may be repeated' provisions
tell 'dev.up starts a server that dev.check finds well' starts_and_is_well
tell 'dev.up.xqueue+sample starts a sample LMS' starts_the_sample
tell 'a submission is pulled and its result reaches the LMS' is_pulled
tell 'a submission is pushed and its result reaches the LMS' is_pushed
tell 'dev.up.xqueue+xqueue_consumer starts a consumer' starts_the_consumer
tell 'dev.logs shows the log' shows_the_log
tell 'an edit is served after dev.restart' serves_an_edit
tell 'a broken edit stops the server, and dev.check shows why' \
    serves_no_broken_edit
tell 'a mended edit is served' serves_a_mended_one
tell 'in xqueue-shell a test runs at the MySQL' runs_a_test
if [ "${1:-}" = --full ]; then
    tell 'in xqueue-shell "make test" passes' runs_all_tests
fi
tell 'in xqueue-shell python is Python otherwise' is_python_otherwise
tell 'nothing is built in the source tree' leaves_the_tree_alone
tell 'dev.stop ends the server with 0' stops_with_0
tell 'the data outlive dev.down' leaves_the_data_alone
tell 'beside a Devstack its MySQL and its network are used' joins_a_devstack
finish

#!/bin/bash
# The image "dev" in a Devstack as it is: its own Makefile and compose files,
# with nothing in them changed, and a copy of this source tree.
#
#     devstack_checkout.sh FOLDER     a checkout of openedx/devstack
#
# The images that it names for mysql57 and mysql80 must be there, or be pulled.
# It takes the ports that Devstack takes. Beware: at the end of its
# provisioning Devstack deletes all dangling images of the engine.
# shellcheck disable=SC2317 # tell() calls the functions
devstack=$(cd "${1:?which folder?}" && pwd) || exit 2
# shellcheck source=tests/docker/story.sh
. "$(dirname "$0")/story.sh"

work=$(mktemp -d)
server=http://localhost:18040
status_file=server/api/status.c
export COMPOSE_PROJECT_NAME=$project
export DEVSTACK_WORKSPACE=$work
export OPENEDX_RELEASE=$project # the images of others stay as they are
image=edxops/xqueue-dev:$OPENEDX_RELEASE
container=edx.$project.xqueue

# target NAME: of Devstack's Makefile
target() {
    make --no-print-directory -C "$devstack" "$@"
}

clean() {
    target dev.remove-containers
    docker volume ls -q --filter "name=${project}_" | xargs -r docker volume rm
    docker image rm "$image"
    rm -rf "$work"
}

provisions() {
    target dev.provision.xqueue
}

starts_and_is_well() {
    target dev.up.xqueue
    target dev.check.xqueue
}

is_well_at_once() {
    provisions
    starts_and_is_well
}

# delivers_since TIME: now or within two minutes
delivers_since() {
    grep -m1 ' delivering ' < <(timeout 120 docker logs --follow --since "$1" \
        "${container}_consumer" 2>&1)
}

starts_the_consumer() {
    target dev.up.xqueue+xqueue_consumer
    delivers_since 0
}

# Its xqueue_consumer-restart looks for a "manage.py runserver", which no
# consumer is; the container is what it can restart.
restarts_the_consumer() {
    local before
    before=$(date +%s)
    target dev.restart-container.xqueue_consumer
    delivers_since "$before"
}

is_graded() {
    local address
    address=$(address_of "$container")
    # shellcheck disable=SC2016 # BUILD_ROOT is the container's
    docker exec --detach "$container" bash -c \
        '$BUILD_ROOT/build/tests/lms_sink 0.0.0.0 18041'
    within 10 curl -fsS "http://$address:18041/received"
    tests/docker/exchange.sh "$server" http://edx.devstack.xqueue:18041 \
        "http://$address:18041" pull
}

serves_an_edit() {
    sed -i 's/"OK"/"edited"/' "$work/xqueue/$status_file"
    target dev.restart-container.xqueue
    target dev.wait-for.xqueue
    target dev.check.xqueue | grep -F '"content": "edited"'
}

# Devstack asks ps for "manage.py runserver".
restarts_the_server() {
    local before
    before=$(docker exec "$container" pgrep -f 'manage.py runserver 0' | tail -n 1)
    target dev.restart-devserver.xqueue
    target dev.wait-for.xqueue
    [ "$before" != \
        "$(docker exec "$container" pgrep -f 'manage.py runserver 0' | tail -n 1)" ]
}

# Devstack's shell wants a terminal.
in_the_shell() {
    script --quiet --return --command "make -C $devstack xqueue-shell" \
        "$work/typescript" <<<"$1
exit \$?"
}

runs_a_test() {
    # shellcheck disable=SC2016 # BUILD_ROOT is the container's
    in_the_shell 'tests/tools/build.sh $BUILD_ROOT/build-test db.test_user -DSANITIZE=address -DCMAKE_BUILD_TYPE=Debug && tests/tools/run_tests.sh $BUILD_ROOT/build-test -R "^db.test_user$"'
}

nothing_is_changed() {
    expect 'changes in Devstack' '' "$(git -C "$devstack" status --porcelain)"
    expect 'built in the source tree' '' "$(cd "$work/xqueue" && ls -d build*)"
}

trap 'clean >/dev/null 2>&1' EXIT
copy_source "$work/xqueue"
docker build --quiet --file docker/Dockerfile --target dev --tag "$image" . ||
    exit

tell 'dev.provision, dev.up and dev.check succeed in one go' is_well_at_once
tell 'dev.provision may be repeated' provisions
tell 'dev.up.xqueue+xqueue_consumer starts the consumer' starts_the_consumer
tell 'a submission is pulled and its result reaches the LMS' is_graded
tell 'dev.restart-container restarts the consumer' restarts_the_consumer
tell 'an edit is served after dev.restart-container' serves_an_edit
tell 'dev.restart-devserver restarts the server' restarts_the_server
tell 'in xqueue-shell a test runs at the MySQL' runs_a_test
tell 'nothing is changed in Devstack, nor built in the source' \
    nothing_is_changed
finish

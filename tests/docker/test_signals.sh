#!/bin/bash
# The program as the first process of a container: signals end it, whatever
# it is doing, though nobody between Docker and it hands them on.
# shellcheck source=tests/docker/story.sh
# shellcheck disable=SC2317 # tell() calls the functions by name
. "$(dirname "$0")/story.sh"

trap 'docker rm --force "$project" "$project-silent" >/dev/null 2>&1' EXIT

# Takes connections on the port of a database, and never says a word.
docker run --detach --name "$project-silent" "$images:dev" \
    lms_sink 0.0.0.0 3306 >/dev/null

# begin [OPTION...] IMAGE [COMMAND]: beside that one
begin() {
    docker rm --force "$project" >/dev/null 2>&1
    docker run --detach --name "$project" \
        --network "container:$project-silent" "$@"
}

# stops COMMAND CODE: while it waits for its database
stops() {
    local took
    begin "$images:run" "$1"
    within 10 is_running
    took=$(milliseconds docker stop "$project")
    echo "docker stop: $took ms"
    [ "$took" -lt 2000 ]
    expect 'exit code' "$2" "$(exit_code "$project")"
}

# Its signals are in hand: SigCgt of Linux has SIGTERM's bit.
is_running() {
    local caught
    caught=$(docker exec "$project" sed -n 's/^SigCgt:\t//p' /proc/1/status)
    [ $((0x${caught:-0} & 0x4000)) -ne 0 ]
}

serve_waiting() {
    stops serve 0
}

migrate_waiting() {
    stops migrate 143
}

# The image of Devstack builds the program when it starts.
building_waiting() {
    local took
    begin "$images:dev" python /edx/app/xqueue/xqueue/manage.py runserver
    within 10 is_building
    took=$(milliseconds docker stop "$project")
    echo "docker stop: $took ms"
    [ "$took" -lt 2000 ]
    expect 'exit code' 143 "$(exit_code "$project")"
}

is_building() {
    docker exec "$project" pgrep -x ninja
}

is_the_first_process() {
    begin "$images:run"
    expect 'process 1' xqueue "$(docker exec "$project" cat /proc/1/comm)"
}

is_unhealthy_without_a_server() {
    begin --health-interval 1s --health-start-period 1s --health-retries 1 \
        "$images:run"
    within 15 is_unhealthy
}

is_unhealthy() {
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$project")" = \
        unhealthy ]
}

tell 'the program itself is the first process' is_the_first_process
tell 'a server that waits for its database stops at once' serve_waiting
tell 'a migration that waits for its database stops at once' migrate_waiting
tell 'what builds its program first stops at once' building_waiting
tell 'a server that does not answer is unhealthy' is_unhealthy_without_a_server
finish

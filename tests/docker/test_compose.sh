#!/bin/bash
# docker/compose.yml: from nothing to a graded submission, and what happens
# when the server is stopped, or killed.
# shellcheck source=tests/docker/story.sh
# shellcheck disable=SC2317 # tell() calls the functions by name
. "$(dirname "$0")/story.sh"

trap 'compose down --volumes --timeout 1 >/dev/null 2>&1' EXIT

# in_lms COMMAND...: beside the server, where an LMS and a grader may be
in_lms() {
    compose exec -T lms "$@"
}

# ask PATH [CURL-OPTION...]
ask() {
    local path=$1
    shift
    in_lms curl -sS --max-time 10 --cookie jar --cookie-jar jar \
        "http://xqueue:18040/xqueue/$path" "$@"
}

# refuses_without VARIABLE
refuses_without() {
    local words
    words=$(env -u "$1" docker compose --env-file /dev/null \
        --file docker/compose.yml up --detach 2>&1) && return 1
    grep -q "$1.*docker/.env" <<<"$words"
}

needs_passwords() {
    refuses_without XQUEUE_DB_PASSWORD
    refuses_without XQUEUE_USERS
}

comes_up() {
    compose --progress quiet up --detach --wait --no-build
    is_healthy "$(of xqueue)"
    expect 'setup' 0 "$(exit_code "$(of setup)")"
}

is_published() {
    curl -fsS "http://$(compose port xqueue 18040)/xqueue/status/" |
        grep -F '"return_code": 0'
}

grades() {
    local header pulled id key
    header='{"lms_callback_url": "http://lms/callback", "lms_key": "key",
        "queue_name": "test-pull"}'
    ask login/ --data username=lms --data password=password |
        grep -F 'Logged in'
    ask submit/ --data-urlencode "xqueue_header=$header" \
        --data-urlencode 'xqueue_body=6 * 7 = 42' |
        grep -F '"return_code": 0'
    pulled=$(ask 'get_submission/?queue_name=test-pull')
    id=$(sed -E 's/.*submission_id[^0-9]*([0-9]+).*/\1/' <<<"$pulled")
    key=$(sed -E 's/.*submission_key[^[:alnum:]]*([[:alnum:]]+).*/\1/' \
        <<<"$pulled")
    header="{\"submission_id\": $id, \"submission_key\": \"$key\"}"
    ask put_result/ --data-urlencode "xqueue_header=$header" \
        --data-urlencode 'xqueue_body=right' | grep -F '"return_code": 0'
    in_lms curl -sS 'http://lms/received?count=1&wait_ms=10000' |
        grep -F '"right"'
}

stops_at_once() {
    local container took
    container=$(of xqueue)
    took=$(milliseconds docker stop "$container")
    echo "docker stop: $took ms"
    [ "$took" -lt 2000 ]
    expect 'exit code' 0 "$(exit_code "$container")"
    docker start "$container"
    within 30 is_healthy "$container"
}

# kill_server: as the kernel would, so that Docker brings it back by itself
kill_server() {
    local process
    process=$(docker inspect --format '{{.State.Pid}}' "$(of xqueue)")
    docker run --rm --pid host --user 0 --entrypoint sh \
        "$images:run" -c "kill -KILL $process"
}

restarts() {
    docker inspect --format '{{.RestartCount}}' "$(of xqueue)"
}

loses_nothing() {
    local log before
    log=$(mktemp)
    before=$(restarts)
    in_lms python3 /edx/app/xqueue/xqueue/tests/docker/learners.py 400 \
        >"$log" 2>&1 &
    within 60 grep -qx 'handed in 200' "$log"
    kill_server
    within 60 grep -qx 'graded 200' "$log"
    kill_server
    wait $! || true
    tail -n 1 "$log"
    expect 'restarts' $((before + 2)) "$(restarts)"
    expect 'the end' 'called back 400' "$(tail -n 1 "$log")"
    rm "$log"
}

keeps_the_database() {
    local before
    before=$(submissions)
    [ "$before" -gt 400 ]
    compose --progress quiet down
    compose --progress quiet up --detach --wait --no-build
    compose logs setup | grep -F 'The tables are current'
    expect 'submissions' "$before" "$(submissions)"
}

submissions() {
    compose exec -T --env MYSQL_PWD=database-password mysql mysql \
        --user=xqueue --batch --skip-column-names xqueue \
        --execute='SELECT COUNT(*) FROM queue_submission'
}

leaves_no_zombies() {
    docker exec "$(of xqueue)" sh -c 'sh -c "sleep 0.1 &"'
    within 5 nobody_is sleep
}

# nobody_is NAME: in the server's container, not even dead
nobody_is() {
    local names
    names=$(docker exec "$(of xqueue)" sh -c 'cat /proc/[0-9]*/comm; true')
    ! grep -x "$1" <<<"$names"
}

tell 'nothing starts without passwords' needs_passwords
tell 'one command brings it up, with tables and users' comes_up
tell 'the port is published' is_published
tell 'a submission is handed in, pulled, graded and called back' grades
tell 'docker stop ends an idle server in two seconds, with 0' stops_at_once
tell 'a server that was killed is back, and has lost nothing' loses_nothing
tell 'orphans in the container are buried' leaves_no_zombies
tell 'the database outlives its containers' keeps_the_database
finish

#!/bin/bash
# docker/compose.yml: from nothing to a graded submission, and what happens
# when the server is stopped, or killed.
# shellcheck source=tests/docker/story.sh
# shellcheck disable=SC2317 # tell() calls the functions by name
. "$(dirname "$0")/story.sh"

work=$(mktemp -d)
trap clean_up EXIT
clean_up() {
    docker rm --force "$project-other" >/dev/null 2>&1
    compose down --volumes --timeout 1 >/dev/null 2>&1
    rm -rf "$work"
}

# in_lms COMMAND...: beside the server, where an LMS and a grader may be
in_lms() {
    compose exec -T lms "$@"
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

# What is in docker/.env is for Compose, which hands on what is needed.
keeps_to_its_own() {
    mkdir "$work/docker"
    cp docker/compose.yml "$work/docker"
    echo 'OF_COMPOSE=for-compose' >"$work/docker/.env"
    echo 'XQUEUE_LOG_LEVEL=for-the-server' >"$work/docker/xqueue.env"
    docker compose --file "$work/docker/compose.yml" config >"$work/config"
    expect 'of docker/.env' 0 "$(grep -c for-compose "$work/config")"
    grep -F for-the-server "$work/config"
}

comes_up() {
    compose --progress quiet up --detach --wait --no-build
    is_healthy "$(of xqueue)"
    expect 'setup' 0 "$(exit_code "$(of setup)")"
}

has_a_root_of_its_own() {
    local words
    compose logs mysql | grep -F 'GENERATED ROOT PASSWORD'
    words=$(compose exec -T --env MYSQL_PWD=database-password mysql \
        mysql --protocol=tcp --host=127.0.0.1 --user=root 2>&1) && return 1
    grep -F 'Access denied' <<<"$words"
}

is_published() {
    curl -fsS "http://$(compose port xqueue 18040)/xqueue/status/" |
        grep -F '"return_code": 0'
}

grades() {
    tests/docker/exchange.sh "http://$(compose port xqueue 18040)" http://lms \
        "http://$(address_of "$(of lms)")" pull
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

# stopped_within_ten_seconds CONTAINER: by itself; then Docker would kill it
stopped_within_ten_seconds() {
    local took
    took=$(milliseconds docker stop --time 10 "$1")
    echo "docker stop: $took ms"
    [ "$took" -gt 2000 ]
    expect 'exit code' 0 "$(exit_code "$1")"
}

# Those who fetch a file, and then do not read it.
stops_though_nobody_reads() {
    local container file=test-pull/0123456789abcdef0123456789abcdef
    container=$(of xqueue)
    docker exec "$container" sh -ec "
        mkdir -p media/test-pull && truncate -s 1G media/$file"
    in_lms python3 - "/media/$file" <<'END' >"$work/log" &
import socket, sys, time
readers = [socket.create_connection(('xqueue', 18040)) for _ in range(60)]
for reader in readers:
    reader.sendall(b'GET %s HTTP/1.1\r\nHost: xqueue\r\n\r\n' % sys.argv[1].encode())
for reader in readers:
    assert reader.recv(12) == b'HTTP/1.1 200'
print('stalled', flush=True)
time.sleep(60)
END
    within 30 grep -qx stalled "$work/log"
    stopped_within_ten_seconds "$container"
    kill $!
    docker start "$container"
    within 30 is_healthy "$container"
    docker exec "$container" rm "media/$file"
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
    local before log=$work/log
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

# becomes_healthy DOCKER-OPTION... IMAGE [WORD...]: beside the other server
becomes_healthy() {
    docker rm --force "$project-other" || true
    docker run --detach --name "$project-other" --health-interval 1s \
        --network "${project}_default" --env XQUEUE_DB_HOST=mysql \
        --env XQUEUE_DB_USER=xqueue \
        --env XQUEUE_DB_PASSWORD="$XQUEUE_DB_PASSWORD" "$@"
    if ! within 20 is_healthy "$project-other"; then
        docker logs "$project-other"
        return 1
    fi
}

is_healthy_elsewhere() {
    echo 'LISTEN: 0.0.0.0:9001' >"$work/listen.yml"
    chmod a+rX "$work" "$work/listen.yml"
    becomes_healthy --env XQUEUE_LISTEN=0.0.0.0:9000 "$images:run"
    becomes_healthy --env XQUEUE_LISTEN= --env XQUEUE_CFG=/listen.yml \
        --volume "$work/listen.yml:/listen.yml:ro" "$images:run"
    docker logs "$project-other" 2>&1 | grep -F 'port=9001'
    becomes_healthy "$images:run" serve --listen 0.0.0.0:9002
    becomes_healthy --init "$images:run" runserver 9003
    becomes_healthy "$images:run" run_consumer
    becomes_healthy --entrypoint sh "$images:tutor" -ec './manage.py runserver 9004'
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
tell 'the server is told nothing that is for Compose' keeps_to_its_own
tell 'one command brings it up, with tables and users' comes_up
tell 'root of MySQL has a password of its own' has_a_root_of_its_own
tell 'the port is published' is_published
tell 'a submission is handed in, pulled, graded and called back' grades
tell 'docker stop ends an idle server in two seconds, with 0' stops_at_once
tell 'docker stop ends one whose files nobody reads, too, with 0' \
    stops_though_nobody_reads
tell 'its health is asked where it listens' is_healthy_elsewhere
tell 'a server that was killed is back, and has lost nothing' loses_nothing
tell 'orphans in the container are buried' leaves_no_zombies
tell 'the database outlives its containers' keeps_the_database
finish

#!/bin/bash
# The tutor image, used as tutor-xqueue uses the image of the Django server.
# shellcheck source=tests/docker/story.sh
# shellcheck disable=SC2317 # tell() calls the functions by name
. "$(dirname "$0")/story.sh"

trap clean_up EXIT
clean_up() {
    docker rm --force "$project-xqueue" >/dev/null 2>&1
    compose down --volumes --timeout 1 >/dev/null 2>&1
}

# tutor OPTION... [COMMAND...]: with what a Tutor installation sets
tutor() {
    docker run --network "${project}_default" \
        --env DJANGO_SETTINGS_MODULE=xqueue.tutor \
        --env XQUEUE_DB_PASSWORD=database-password \
        --env XQUEUE_SECRET_KEY=secret \
        --env XQUEUE_USERS='{"lms": "password"}' \
        --env XQUEUE_XQUEUES='{"openedx": null}' "$@"
}

job() {
    tutor --rm "$images:tutor" sh -e -c "$1"
}

initialises() {
    compose --progress quiet up --detach --wait mysql
    job './manage.py migrate; ./manage.py update_users' |
        grep -F 'user lms: created'
}

knows_the_commands() {
    for command in run_consumer count_queued_submissions \
        delete_old_submissions retire_failed_submissions \
        retire_old_submissions; do
        job "./manage.py $command --help" | grep -F "xqueue $command"
    done
    job './manage.py count_queued_submissions'
}

serves() {
    tutor --detach --name "$project-xqueue" "$images:tutor"
    within 30 is_healthy "$project-xqueue"
    docker exec "$project-xqueue" \
        curl -fsS http://127.0.0.1:8000/xqueue/status/ |
        grep -F '"return_code": 0'
    expect 'folder' /openedx/xqueue "$(docker exec "$project-xqueue" pwd)"
}

# The first link to a file that is on its way to a grader.
link_of_submission() {
    docker exec "$project-xqueue" curl -sS -b jar \
        'http://127.0.0.1:8000/xqueue/get_submission/?queue_name=openedx' |
        grep -oE '(http://[^/"]*)?/media/openedx/[^"\\]*' | head -n 1
}

serves_files() {
    local link
    docker exec --workdir /tmp "$project-xqueue" sh -ec '
        X=http://127.0.0.1:8000/xqueue
        echo "the answer" >answer.txt
        curl -fsS -c /openedx/xqueue/jar -d username=lms -d password=password \
            $X/login/
        curl -fsS -b /openedx/xqueue/jar $X/submit/ -F answer.txt=@answer.txt \
            -F xqueue_body=body -F xqueue_header="{\"queue_name\": \"openedx\",
                \"lms_callback_url\": \"http://lms/1\", \"lms_key\": \"key\"}"
        find /openedx/data/media/openedx -type f | grep .'
    link=$(link_of_submission)
    echo "link: $link"
    expect 'file' 'the answer' \
        "$(docker exec "$project-xqueue" curl -fsS "$link")"
}

consumes() {
    tutor --detach --rm --name "$project-consumer" --entrypoint sh \
        "$images:tutor" -e -c './manage.py run_consumer'
    within 10 says "$project-consumer" delivering
    docker kill "$project-consumer"
}

# says CONTAINER WORD: in its log
says() {
    docker logs "$1" 2>&1 | grep -qw "$2"
}

stops_at_once() {
    local took
    took=$(milliseconds docker stop "$project-xqueue")
    echo "docker stop: $took ms"
    [ "$took" -lt 2000 ]
    expect 'exit code' 0 "$(exit_code "$project-xqueue")"
}

tell "tutor's init job makes tables and users" initialises
tell 'manage.py knows the commands of the Django server' knows_the_commands
tell 'the server answers on port 8000' serves
tell 'uploaded files are in /openedx/data/media, and served' serves_files
tell 'the consumer delivers' consumes
tell 'the server stops at once, with 0' stops_at_once
finish

#!/bin/bash
# The figures of README.md, "Docker", on this machine. Needs the images that
# run.sh makes; XQUEUE_TEST_IMAGES names others.
# shellcheck source=tests/docker/story.sh
# shellcheck disable=SC2317 # the trap and milliseconds() call by name
. "$(dirname "$0")/story.sh"

trap 'compose down --volumes --timeout 1 >/dev/null 2>&1' EXIT

# From the first instruction of the container to the first answer.
start() {
    local address began
    docker start "$server" >/dev/null
    address=$(compose port xqueue 18040)
    until curl -fs "http://$address/xqueue/status/" >/dev/null; do :; done
    began=$(docker inspect --format '{{.State.StartedAt}}' "$server")
    echo $(($(date +%s%3N) - $(date --date "$began" +%s%3N)))
}

resident() {
    docker exec "$server" awk '/^VmRSS/ { printf "%.1f", $2 / 1000 }' \
        /proc/1/status
}

compose --progress quiet up --detach --wait --no-build || exit 1
server=$(of xqueue)
for target in run tutor; do
    echo "image $target: $(over_base "$images:$target") MB over $base"
done
for _ in 1 2 3 4 5; do
    echo "docker stop: $(milliseconds docker stop "$server") ms, start to" \
        "first answer: $(start) ms, resident: $(resident) MB"
done
compose exec -T lms python3 \
    /edx/app/xqueue/xqueue/tests/docker/learners.py 1000 | tail -n 1
echo "resident after 1000 submissions: $(resident) MB"

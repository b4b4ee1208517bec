#!/bin/bash
# Make the images and tell every story about containers, on an engine that is
# there or that can be brought up (engine.sh). Closes with "N passed, N
# failed"; without an engine that is a failure.
#
#     run.sh [STORY...]    tests/docker/test_STORY.sh; all when none is named
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

export XQUEUE_TEST_IMAGES=${XQUEUE_TEST_IMAGES:-xqueue-test}
export DOCKER_BUILDKIT=1 # engines before 23 do not use it by themselves

give_up() {
    echo "$*"
    echo '0 passed, 1 failed'
    exit 1
}

if ! tests/docker/engine.sh up || ! tests/docker/engine.sh base; then
    give_up 'Containers cannot be run here, so nothing about them was tested.'
fi
MYSQL_IMAGE=$(tests/docker/engine.sh mysql) ||
    give_up 'No MySQL can be had here.'
export MYSQL_IMAGE

for target in run tutor dev; do
    echo "Building $XQUEUE_TEST_IMAGES:$target ..."
    docker build --quiet --file docker/Dockerfile --target $target \
        --tag "$XQUEUE_TEST_IMAGES:$target" . >/dev/null ||
        give_up "The image \"$target\" cannot be built."
done

stories=("$@")
if [ $# -eq 0 ]; then
    stories=(tests/docker/test_*.sh)
    stories=("${stories[@]#tests/docker/test_}")
    stories=("${stories[@]%.sh}")
fi
log=$(mktemp)
for story in "${stories[@]}"; do
    echo "--- $story ($SECONDS s)"
    tests/docker/test_"$story".sh | tee -a "$log"
done

docker image rm --force "$XQUEUE_TEST_IMAGES":{run,tutor,dev} >/dev/null
# A story file that did not come to its end has failed.
awk -v files="${#stories[@]}" '
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; files-- }
    END {
        printf "%d passed, %d failed\n", passed, failed + files
        exit failed + files > 0 || passed == 0
    }' "$log"
status=$?
rm "$log"
exit $status

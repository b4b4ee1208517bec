#!/bin/bash
# One submission all the way, by curl: the LMS hands it in, a grader pulls it
# and puts a result, the LMS gets the result. With "push" the server pushes it
# to a grader instead.
#
#     exchange.sh XQUEUE LMS LMS-FROM-HERE [pull|push]
#
# XQUEUE is the server's address. LMS is where a tests/tools/lms_sink is for
# the server, LMS-FROM-HERE where it is for us. User lms, password password,
# queues test-pull and test-push.
set -euo pipefail

xqueue=$1/xqueue
lms=$2
received=$3/received
way=${4:-pull}
key=$(date +%s%N)
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT

# answer PATTERN CURL-ARGUMENT...: prints the answer, which must match
answer() {
    local pattern=$1
    local text
    shift
    text=$(curl -fsS --max-time 10 -b "$jar" -c "$jar" "$@")
    if ! grep -qE "$pattern" <<<"$text"; then
        echo "no $pattern in: $text" >&2
        return 1
    fi
    echo "$text"
}

# member NAME TEXT: of an object in a JSON text, however often it is quoted
member() {
    sed -E "s/.*$1[^[:alnum:]]*([[:alnum:]]+).*/\\1/" <<<"$2"
}

answer 'Logged in' -d username=lms -d password=password "$xqueue/login/"
header="{\"lms_callback_url\": \"$lms/callback/$key\", \"lms_key\": \"$key\""
header="$header, \"queue_name\": \"test-$way\"}"
answer '"return_code": 0' "$xqueue/submit/" \
    --data-urlencode "xqueue_header=$header" \
    --data-urlencode "xqueue_body=1 $key"

if [ "$way" = pull ]; then
    pulled=$(answer "$key" "$xqueue/get_submission/?queue_name=test-pull")
    header="{\"submission_id\": $(member submission_id "$pulled")"
    header="$header, \"submission_key\": \"$(member submission_key "$pulled")\"}"
    answer '"return_code": 0' "$xqueue/put_result/" \
        --data-urlencode "xqueue_header=$header" \
        --data-urlencode 'xqueue_body={"correct": true, "score": 1, "msg": ""}'
fi

# Each answer comes with the next callback, or after a second.
seen() {
    curl -fsS --max-time 10 "$received?count=$1&wait_ms=1000" | grep "$key"
}
for _ in {1..20}; do
    count=$(curl -fsS --max-time 10 "$received" | wc -l)
    if seen $((count + 1)); then
        exit
    fi
done
echo "no callback for $key" >&2
exit 1

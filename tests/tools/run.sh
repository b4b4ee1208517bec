#!/bin/bash
# Serve on this machine until Ctrl-C: a private MariaDB, the server, and a
# tiny LMS that shows the callbacks. Everything lives in .run/.
#
#     run.sh FOLDER    where xqueue and lms_sink were built
#
# With XQUEUE_CFG in the environment that configuration is used, its database
# too, and no private one is started.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
run=$PWD/.run
address=127.0.0.1:18040
sink_port=18041
socket=$run/mariadb/mysql.sock
sink=
server=
is_private=

stop() {
    trap - EXIT
    # make passes on a signal that has come to everybody already.
    trap '' INT TERM HUP
    echo
    echo 'Stopping ...'
    if [ -n "$server" ] && kill -TERM "$server" 2>/dev/null; then
        wait "$server" || true
    fi
    if [ -n "$sink" ] && kill -TERM "$sink" 2>/dev/null; then
        wait "$sink" || true
    fi
    if [ -n "$is_private" ]; then
        tests/tools/private_mariadb.sh stop "$run/mariadb"
    fi
}

write_config() {
    cat >"$run/xqueue.yml" <<YAML
# Written by "make run"; your changes will be lost. To serve with a file of
# your own: XQUEUE_CFG=/path/to/xqueue.yml make run
XQUEUES:
    test-pull: null
    test-push: http://127.0.0.1:18050/
USERS:
    lms: password
DATABASES:
    default:
        ENGINE: django.db.backends.mysql
        NAME: xqueue
        USER: root
        PASSWORD: ""
        HOST: $socket
LISTEN: $address
MEDIA_ROOT: $run/media
YAML
}

print_what_to_try() {
    cat <<WORDS

XQueue serves on http://$address (user lms, password password, queues
test-pull and test-push). A tiny LMS listens on port $sink_port. Paste into another
terminal:

  # Log in, and hand in a submission as an LMS does.
  X=http://$address/xqueue L=http://127.0.0.1:$sink_port J=$run/cookies
  Q=test-pull   # or test-push, with a grader on port 18050: see README.md
  N=\$(curl -s \$L/received | wc -l)
  H='{"lms_callback_url": "'\$L'/callback"'
  H="\$H"', "lms_key": "my key", "queue_name": "'\$Q'"}'
  curl -s -c \$J -d username=lms -d password=password \$X/login/; echo
  curl -s -b \$J \$X/submit/ --data-urlencode "xqueue_header=\$H" \\
    --data-urlencode 'xqueue_body={"student_response": "6 * 7 = 42"}'; echo

  # Pull it, as an active grader does.
  P=\$(curl -s -b \$J "\$X/get_submission/?queue_name=\$Q"); echo "\$P"
  ID=\$(echo "\$P" | sed -E 's/.*submission_id[^0-9]*([0-9]+).*/\\1/')
  KEY=\$(echo "\$P" | sed -E 's/.*submission_key[^[:alnum:]]*([[:alnum:]]+).*/\\1/')

  # Put the result; the LMS gets it a moment later.
  H="{\"submission_id\": \$ID, \"submission_key\": \"\$KEY\"}"
  R='{"correct": true, "score": 1, "msg": "<p>Well done.</p>"}'
  curl -s -b \$J \$X/put_result/ --data-urlencode "xqueue_header=\$H" \\
    --data-urlencode "xqueue_body=\$R"; echo
  curl -s "\$L/received?count=\$((N + 1))&wait_ms=5000" | tail -n 1

Ctrl-C stops all of it.

WORDS
}

mkdir -p "$run"
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ -z "${XQUEUE_CFG:-}" ]; then
    is_private=yes
    tests/tools/private_mariadb.sh start "$run/mariadb"
    mariadb --no-defaults --user=root --socket="$socket" \
        -e 'CREATE DATABASE IF NOT EXISTS xqueue'
    write_config
    export XQUEUE_CFG=$run/xqueue.yml
fi
"$folder/xqueue" migrate
"$folder/xqueue" update_users

# In sessions of their own, so that Ctrl-C reaches this script alone, which
# then ends them one after the other.
setsid "$folder/tests/lms_sink" 127.0.0.1 "$sink_port" </dev/null &
sink=$!
setsid "$folder/xqueue" serve </dev/null &
server=$!
if [ -n "$is_private" ]; then
    until curl -sf -o "$run/status" "http://$address/xqueue/status/"; do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    print_what_to_try
else
    echo "A tiny LMS listens on http://127.0.0.1:$sink_port; it shows what comes."
fi
wait "$server"

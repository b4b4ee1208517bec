#!/bin/bash
# A MariaDB of our own, for trying XQueue out: no network, a socket in its
# folder, nothing outside of it.
#
#     private_mariadb.sh start FOLDER    make what is missing, wait until it
#                                        answers on FOLDER/mysql.sock
#     private_mariadb.sh stop FOLDER     end it and wait
#
# Every commit is on the disk before it is answered. root has no password.
# Both commands are content when there is nothing to do.
set -euo pipefail

usage() {
    echo "usage: private_mariadb.sh start|stop FOLDER" >&2
    exit 2
}

[ $# -eq 2 ] || usage
command=$1
[ "$command" = stop ] || mkdir -p "$2"
[ -d "$2" ] || exit 0
folder=$(cd "$2" && pwd)

# A socket's name is short; beyond that the server would refuse to start.
if [ ${#folder} -gt 90 ]; then
    echo "the path of $folder is too long for a unix socket" >&2
    exit 1
fi

# Debian keeps the server where ordinary users do not look.
PATH=$PATH:/usr/sbin:/usr/local/sbin

# The server refuses to run as root unless told so.
user=()
if [ "$(id -u)" -eq 0 ]; then
    user=(--user=root)
fi

# Is the process of the pid file alive, and is it our server?
running() {
    local pid
    pid=$(cat "$folder/mysql.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
        grep -qF -- "--datadir=$folder/data"
}

answers() {
    mariadb-admin --no-defaults --user=root --socket="$folder/mysql.sock" \
        ping >/dev/null 2>&1
}

# make_data: a folder that was left half made is not called "data"
make_data() {
    [ -d "$folder/data" ] && return
    rm -rf "$folder/data.new"
    if ! mariadb-install-db --no-defaults --datadir="$folder/data.new" \
        --tmpdir="$folder/tmp" \
        --auth-root-authentication-method=normal --skip-test-db \
        --skip-name-resolve --force "${user[@]}" >"$folder/install.log" 2>&1
    then
        cat "$folder/install.log" >&2
        exit 1
    fi
    mv "$folder/data.new" "$folder/data"
}

start() {
    if running && answers; then
        return
    fi
    # Not /tmp: a server that starts deletes what others have there.
    mkdir -p "$folder/tmp"
    make_data
    # In a session of its own: Ctrl-C is for those who use it.
    setsid mariadbd --no-defaults "${user[@]}" --datadir="$folder/data" \
        --tmpdir="$folder/tmp" \
        --socket="$folder/mysql.sock" --pid-file="$folder/mysql.pid" \
        --skip-networking --skip-name-resolve \
        --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=128M \
        --max-allowed-packet=64M --character-set-server=utf8mb4 \
        --collation-server=utf8mb4_unicode_ci \
        </dev/null >>"$folder/mysql.log" 2>&1 &
    local server=$!
    for _ in $(seq 300); do
        if answers; then
            return
        fi
        # setsid forks when it leads a group; then the pid file is the truth.
        if ! kill -0 "$server" 2>/dev/null && ! running; then
            break
        fi
        sleep 0.1
    done
    echo "MariaDB does not start; the end of $folder/mysql.log:" >&2
    tail -n 20 "$folder/mysql.log" >&2
    exit 1
}

stop() {
    running || return 0
    local pid
    pid=$(cat "$folder/mysql.pid")
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 300); do
        running || return 0
        sleep 0.1
    done
    echo "MariaDB (process $pid) does not end" >&2
    exit 1
}

case $command in
start) start ;;
stop) stop ;;
*) usage ;;
esac

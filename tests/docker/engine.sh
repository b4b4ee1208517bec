#!/bin/bash
# Containers on this machine, from Debian's packages where need be:
#
#     engine.sh up       see that an engine answers, with Compose; as root,
#                        install and start one
#     engine.sh base     see that debian:bookworm-slim is there: pull it, or
#                        make it
#     engine.sh sid      the same for debian:sid-slim, which has a MySQL
#     engine.sh mysql    the same for MYSQL_IMAGE, or mysql:8.4, then print
#                        the image's name
#     engine.sh down     end the engine that "up" has started
#
# What it makes stays: the next run is faster.
set -euo pipefail
cd "$(dirname "$0")"

folder=${XQUEUE_ENGINE:-/var/tmp/xqueue-engine}
plugins=/usr/libexec/docker/cli-plugins
export DEBIAN_FRONTEND=noninteractive DOCKER_BUILDKIT=1

say() {
    echo "engine: $*" >&2
}

give_up() {
    say "$*"
    exit 1
}

# quietly COMMAND...: heard only when it fails
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm "$log"
        return 1
    fi
    rm "$log"
}

install() {
    [ "$(id -u)" = 0 ] || give_up "needs root, or install: $*"
    say "installing $*"
    quietly apt-get update -q
    quietly apt-get install -y -q --no-install-recommends "$@"
}

# The Debian archive that this machine uses.
archive() {
    sed -nE 's/^(URIs:|deb( \[.*\])?) +(https?:[^ ]+).*/\3/p' \
        /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        grep -v security | head -n 1
}

# Debian 12 has no Compose v2, Debian 13 has; its programs run here, too.
install_plugins() {
    local source=$folder/apt
    local options=(-o "Dir::Etc::SourceList=$source/sources.list"
        -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$source/lists"
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
        -o APT::Sandbox::User=root)
    say 'installing Compose and Buildx of Debian 13'
    mkdir -p "$source/lists/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
        "$(archive) trixie main" >"$source/sources.list"
    quietly apt-get "${options[@]}" update -q
    (cd "$source" && rm -f ./*.deb &&
        quietly apt-get "${options[@]}" download docker-compose docker-buildx)
    for package in "$source"/*.deb; do
        dpkg --extract "$package" "$source/root"
    done
    mkdir -p "$plugins"
    cp "$source/root$plugins"/* "$plugins"
}

start() {
    [ "$(id -u)" = 0 ] || give_up 'no engine answers, and only root starts one'
    say 'starting dockerd'
    mkdir -p "$folder"
    setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" \
        --pidfile "$folder/dockerd.pid" >"$folder/dockerd.log" 2>&1 </dev/null &
    local server=$!
    for _ in $(seq 300); do
        if docker info >/dev/null 2>&1; then
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$folder/dockerd.log" >&2
    give_up 'no Docker engine can be had here'
}

up() {
    if ! docker info >/dev/null 2>&1; then
        command -v dockerd >/dev/null || install docker.io iptables
        start
    fi
    docker compose version >/dev/null 2>&1 || install_plugins
    docker compose version >/dev/null || give_up 'no Compose can be had here'
}

down() {
    [ -f "$folder/dockerd.pid" ] || return 0
    kill "$(cat "$folder/dockerd.pid")"
}

# have IMAGE: here, or pulled
have() {
    docker image inspect "$1" >/dev/null 2>&1 ||
        timeout 300 docker pull -q "$1" >/dev/null 2>&1
}

# make SUITE IMAGE [SUITE-OF-UPDATES...]: a minimal Debian
make() {
    local suite=$1 image=$2 root
    shift 2
    command -v debootstrap >/dev/null || install debootstrap
    say "making $image: it cannot be pulled"
    root=$(mktemp -d)
    quietly debootstrap --variant=minbase "$suite" "$root" "$(archive)"
    for update in "$@"; do
        echo "deb $(archive) $update main"
    done | sed 's,/debian \([a-z]*-security\),/debian-security \1,' \
        >>"$root/etc/apt/sources.list"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
    tar -C "$root" -c . | docker import -c 'CMD ["bash"]' - "$image" >/dev/null
    rm -rf "$root"
}

base() {
    have debian:bookworm-slim ||
        make bookworm debian:bookworm-slim bookworm-updates bookworm-security
}

sid() {
    have debian:sid-slim || make sid debian:sid-slim
}

mysql() {
    local image=${MYSQL_IMAGE:-mysql:8.4}
    if ! have "$image"; then
        image=xqueue-test-mysql
        sid
        say "making $image"
        quietly docker build -t $image mysql
    fi
    echo "$image"
}

case ${1:-} in
up | base | sid | mysql | down) "$1" ;;
*)
    echo 'usage: engine.sh up|base|sid|mysql|down' >&2
    exit 2
    ;;
esac

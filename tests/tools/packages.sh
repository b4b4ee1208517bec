#!/bin/bash
# See that the Debian packages of a purpose are there; as root, install what
# is missing. The one list of what XQueue needs.
#
#     packages.sh run|test|ci    to build and try it, to test it, to check it
#                                all; each includes the ones before it
#     packages.sh bench          to test it and to measure it
#     packages.sh serve          what the program needs once it is built: for
#                                an image; never with an unsafe libevent
#     packages.sh --list PURPOSE
#
# Fast when nothing is missing: it asks dpkg once and no server.
set -euo pipefail

# purpose  package  what it is for
list='
serve libevent-core-2.1-7  event loop
serve libevent-extra-2.1-7 HTTP server
serve libcurl4             sends callbacks and pushes
serve libjson-c5           reads JSON
serve libyaml-0-2          reads the configuration
serve libexpat1            reads the XML of S3
serve libssl3              digests, password hashes, random bytes
serve libmariadb3          the client library, and its ways to log in
serve ca-certificates      who vouches for the LMS, for graders and for S3
serve curl                 for those who look into a container
run  make                  knows the commands
run  gcc                   compiles
run  libc6-dev             the C library, to compile against
run  cmake                 describes the build
run  ninja-build           does the build
run  pkg-config            finds the libraries
run  libevent-dev          HTTP server and event loop
run  libcurl4-openssl-dev  sends callbacks and pushes
run  libjson-c-dev         reads JSON
run  libyaml-dev           reads the configuration
run  libexpat1-dev         reads the XML of S3
run  libssl-dev            digests, password hashes, random bytes
run  libmariadb-dev-compat the client library of MySQL and MariaDB
run  check                 the frame of the tests
run  mariadb-server-core   the private database
run  mariadb-client        its clients, and what its installer calls
run  curl                  for the lines to paste
test clang-format          the lint of the format
test shellcheck            the lint of the shell scripts
test openssl               certificates for the tests of TLS
test procps                ps, by which Devstack finds the server
test python3-swift         the S3 server of the tests
test python3               a passive grader on its http.server
test python3-requests      hands in files as the LMS does
ci   clang                 the second compiler, and the fuzzer
ci   libclang-rt-dev       its sanitizers
bench gnuplot-nox          draws the curves of the benchmarks
'

# libevent before this build mixes up requests with two lengths.
libevent_wanted='2.1.12-stable-8+deb12u1'

rows() {
    case $1 in
    serve) echo "$list" | grep '^serve ' ;;
    run) echo "$list" | grep '^run ' ;;
    test) echo "$list" | grep -E '^(run|test) ' ;;
    ci) echo "$list" | grep -E '^(run|test|ci) ' ;;
    bench) echo "$list" | grep -E '^(run|test|bench) ' ;;
    *)
        echo "usage: packages.sh [--list] serve|run|test|ci|bench" >&2
        exit 2
        ;;
    esac
}

# Those of the named packages that are not installed.
missing_of() {
    local installed
    # shellcheck disable=SC2086,SC2016 # one word per package; dpkg's own ${}
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $1 \
        2>/dev/null | sed -n 's/^.i  *//p' || true)
    for name in $1; do
        if ! grep -qxF "$name" <<<"$installed"; then
            echo "$name"
        fi
    done
}

libevent_is_old() {
    local version
    # shellcheck disable=SC2016 # dpkg's own ${}
    version=$(dpkg-query -W -f '${Version}\n' libevent-core-2.1-7 \
        2>/dev/null || true)
    [ -n "$version" ] &&
        dpkg --compare-versions "$version" lt "$libevent_wanted"
}

# apt-get is talkative: it is heard only when it fails.
install() {
    local log
    log=$(mktemp)
    echo "Installing them ..."
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # one word per package
    if ! { apt-get update -q &&
        apt-get install -y -q --no-install-recommends $1; } >"$log" 2>&1; then
        cat "$log" >&2
        rm "$log"
        exit 1
    fi
    rm "$log"
}

if [ "${1:-}" = --list ]; then
    rows "${2:-run}" | awk '{ print $2 }'
    exit 0
fi
purpose=${1:-run}
wanted=$(rows "$purpose" | awk '{ print $2 }')

if ! command -v dpkg-query >/dev/null; then
    echo "No dpkg here, so the packages were not checked. What is needed:"
    rows "$purpose" | sed 's/^[a-z]* */    /'
    exit 0
fi

missing=$(missing_of "$wanted")
if libevent_is_old; then
    missing="$missing libevent-dev libevent-core-2.1-7 libevent-extra-2.1-7"
fi
if [ -n "$missing" ]; then
    echo "Missing Debian packages:"
    for name in $missing; do
        rows "$purpose" | awk -v name="$name" \
            '$2 == name { $1 = ""; sub(/^ [^ ]+ /, ""); print "    " name ": " $0 }'
    done
    if [ "$(id -u)" != 0 ]; then
        echo "Install them, then run this again:"
        # shellcheck disable=SC2086 # on one line
        echo "    apt-get install -y --no-install-recommends" $missing
        exit 1
    fi
    install "$missing"
fi
if libevent_is_old; then
    echo "warning: libevent is older than $libevent_wanted, which has fixes" \
        "for requests that are read in two ways. Update it before you let" \
        "anybody in." >&2
    # Whoever builds it here may decide; an image goes to others.
    [ "$purpose" != serve ]
fi

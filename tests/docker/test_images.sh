#!/bin/bash
# What is in the images, and what is not.
# shellcheck source=tests/docker/story.sh
# shellcheck disable=SC2317 # tell() calls the functions by name
. "$(dirname "$0")/story.sh"

inside() {
    docker run --rm --entrypoint sh "$images:$1" -ec "$2"
}

is_small() {
    for target in run tutor; do
        echo "$target: $(over_base "$images:$target") MB over $base"
        [ "$(over_base "$images:$target")" -lt 40 ]
    done
}

is_nobody_special() {
    for target in run tutor; do
        expect 'user' 1000 "$(inside "$target" 'id -u')"
        expect 'group' 1000 "$(inside "$target" 'id -g')"
    done
    inside run 'touch media/file && ! touch /usr/local/bin/xqueue'
}

has_the_plug_ins() {
    inside run 'test -s /usr/lib/*/libmariadb3/plugin/caching_sha2_password.so'
    inside run 'test -s /etc/ssl/certs/ca-certificates.crt'
}

has_the_safe_libevent() {
    local wanted
    wanted=$(sed -n "s/^libevent_wanted='\(.*\)'/\1/p" tests/tools/packages.sh)
    [ -n "$wanted" ]
    inside run "dpkg --compare-versions \
        \$(dpkg-query -W -f '\${Version}' libevent-core-2.1-7) ge $wanted"
}

builds_nothing() {
    inside run '! command -v gcc make python3 && ! ls /src /edx 2>/dev/null'
}

has_what_people_reach_for() {
    for target in run tutor dev; do
        inside "$target" 'command -v bash curl xqueue >/dev/null'
    done
    inside dev 'command -v make gcc clang-format python3 shellcheck >/dev/null'
}

runs_any_command() {
    expect 'version' "$(inside run 'xqueue version')" \
        "$(docker run --rm "$images:run" version)"
    docker run --rm "$images:run" --help | grep update_users
}

tell 'the images are small' is_small
tell 'the server has no rights but to its media' is_nobody_special
tell 'the ways to log in to MySQL are there' has_the_plug_ins
tell 'libevent is one that reads requests in one way' has_the_safe_libevent
tell 'the server comes without what built it' builds_nothing
tell 'a shell has what people reach for' has_what_people_reach_for
tell 'the image takes a command of xqueue' runs_any_command
finish

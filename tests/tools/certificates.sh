#!/bin/bash
# Make the certificates of a TLS server for tests:
#
#     certificates.sh FOLDER
#
# ca.pem is an authority; it has signed server.pem (for 127.0.0.1) and
# client.pem, whose keys are server-key.pem and client-key.pem. other-ca.pem
# is another authority of the same name.
set -euo pipefail
cd "$1"

# make NAME SUBJECT EXTENSION OPTION...: NAME.pem and NAME-key.pem. openssl is
# talkative: it is heard only when it fails.
make() {
    local name=$1
    local subject=$2
    local extension=$3
    local words
    shift 3
    words=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
        -nodes -days 2 -subj "/CN=$subject" -addext "$extension" "$@" \
        -keyout "$name-key.pem" -out "$name.pem" 2>&1) || {
        echo "$words" >&2
        exit 1
    }
}

make ca 'XQueue test authority' keyUsage=critical,keyCertSign
make other-ca 'XQueue test authority' keyUsage=critical,keyCertSign
for name in server client; do
    make "$name" "XQueue test $name" subjectAltName=IP:127.0.0.1 \
        -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca-key.pem
done
chmod 0644 ./*-key.pem

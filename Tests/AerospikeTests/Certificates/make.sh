#!/usr/bin/env bash
# Makes the certificates of this directory anew, with OpenSSL 3. The authority's key is thrown away.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# The numbers of NIST P-256 are short, and every TLS library takes them.
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# sign NAME SUBJECT EXTENSIONS: a certificate of NAME.key, signed by the authority.
sign() {
    openssl req -new -key "$1.key" -subj "$2" -out "$work/request"
    printf '%s\n' "$3" >"$work/extensions"
    openssl x509 -req -in "$work/request" -CA authority.pem -CAkey "$work/authority.key" -days 36500 \
        -extfile "$work/extensions" -out "$1.pem"
}

key "$work/authority.key"
openssl req -x509 -new -key "$work/authority.key" -subj "/CN=authority of tests" -days 36500 -out authority.pem \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
key node.key
sign node "/CN=node" "subjectAltName=DNS:node.example"
cp node.key address.key
sign address "/CN=address" "subjectAltName=IP:127.0.0.1"
rm address.key
key client.key
sign client "/CN=ann" "extendedKeyUsage=clientAuth"

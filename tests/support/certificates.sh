#!/bin/bash
# Makes the certificates that the tests use, with a private authority of their own.
#
# Usage: certificates.sh DIRECTORY
#
# Each NAME is NAME.pem and NAME.key, in PEM form, with a key on the curve P-256 that is not
# encrypted. Those of servers have their chain in NAME.pem, the root left out: the intermediate's
# certificate is behind the server's. "localhost" stands for the names localhost, 127.0.0.1 and ::1.
#
#   root                    the authority; root.pem is what peers are to trust
#   intermediate            issued by it; issues all that follow, unless told otherwise
#   server                  localhost
#   server-encrypted.key    the key of server once more, encrypted with the password "secret"
#   server-leaf             the certificate of server without its chain
#   renewed                 localhost, another certificate with another key
#   expired                 localhost, until 2020
#   not-yet-valid           localhost, from 2090
#   wrong-host              wrong.example
#   self-signed             localhost, its own issuer
#   self-signed-wrong-host  wrong.example, its own issuer
#   self-signed-expired     localhost, its own issuer, until 2020
#   self-signed-not-yet-valid   localhost, its own issuer, from 2090
#   other-root              another authority
#   other-server            localhost, issued by other-root
#   client                  for clients, CN "client", issued by root
#   other-client            for clients, CN "client", issued by other-root
#   client-expired          for clients, until 2020, issued by root
set -eu
mkdir -p "$1"
cd "$1"
umask 077
# What is in the environment or in the system's configuration must not matter.
unset OPENSSL_CONF SSL_CERT_FILE SSL_CERT_DIR

cat >openssl.cnf <<'END'
[req]
distinguished_name = name
prompt = no
[name]
[ca]
default_ca = tests
[tests]
database = index.txt
new_certs_dir = issued
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = none
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server_localhost]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[server_wrong]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:wrong.example
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
END
mkdir issued
: >index.txt

valid=(-startdate 20200101000000Z -enddate 20891231235959Z)
expired=(-startdate 20190101000000Z -enddate 20200101000000Z)
not_yet=(-startdate 20900101000000Z -enddate 20991231235959Z)

quietly() {
    "$@" 2>messages || { cat messages >&2 && return 1; }
}

# certificate NAME ISSUER EXTENSIONS CN DATE…: ISSUER "-" for one that is its own.
certificate() {
    local name=$1 issuer=$2 extensions=$3 cn=$4 signer=()
    shift 4
    quietly openssl req -config openssl.cnf -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
        -nodes -subj "/CN=$cn" -keyout "$name.key" -out "$name.request"
    if [ "$issuer" = - ]; then
        signer=(-selfsign -keyfile "$name.key")
    else
        signer=(-cert "$issuer.pem" -keyfile "$issuer.key")
    fi
    quietly openssl ca -config openssl.cnf -batch -notext "${signer[@]}" "$@" \
        -extensions "$extensions" -in "$name.request" -out "$name.pem"
}

# server NAME EXTENSIONS DATE…: one that the intermediate has issued, with its chain.
server() {
    certificate "$1" intermediate "$2" "$1" "${@:3}"
    cat intermediate.pem >>"$1.pem"
}

certificate root - authority "lwsloop tests root" "${valid[@]}"
certificate intermediate root authority "lwsloop tests intermediate" "${valid[@]}"
certificate server intermediate server_localhost server "${valid[@]}"
cp server.pem server-leaf.pem
cp server.key server-leaf.key
cat intermediate.pem >>server.pem
quietly openssl pkey -in server.key -aes128 -passout pass:secret -out server-encrypted.key
server renewed server_localhost "${valid[@]}"
server expired server_localhost "${expired[@]}"
server not-yet-valid server_localhost "${not_yet[@]}"
server wrong-host server_wrong "${valid[@]}"
certificate self-signed - server_localhost self-signed "${valid[@]}"
certificate self-signed-wrong-host - server_wrong self-signed-wrong-host "${valid[@]}"
certificate self-signed-expired - server_localhost self-signed-expired "${expired[@]}"
certificate self-signed-not-yet-valid - server_localhost self-signed-not-yet-valid "${not_yet[@]}"
certificate other-root - authority "lwsloop tests other root" "${valid[@]}"
certificate other-server other-root server_localhost other-server "${valid[@]}"
certificate client root client client "${valid[@]}"
certificate other-client other-root client client "${valid[@]}"
certificate client-expired root client client "${expired[@]}"
rm -rf ./*.request ./index.txt* ./openssl.cnf ./messages ./issued

#!/bin/bash
# nginx in front of tests/interop/server.c: it takes TLS off, and passes on to the server by TCP, by
# TLS and by a Unix-domain socket. This library's client, Python's websockets and Node's ws talk
# through it.
#
# Usage: through_nginx.sh SERVER CLIENT LOOP DIRECTORY CERTIFICATES
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
server=$1
client=$2
loop=$3
directory=$4
certificates=$5
export PATH=$PATH:/usr/sbin
root=$certificates/root.pem

write_configuration() {
    cat <<END
daemon off;
master_process off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events {
    worker_connections 1024;
}
http {
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    map \$http_upgrade \$connection_upgrade {
        default upgrade;
        '' '';
    }
    upstream plain {
        server 127.0.0.1:$backend;
        keepalive 4;
    }
    ssl_certificate $certificates/server.pem;
    ssl_certificate_key $certificates/server.key;
    proxy_http_version 1.1;
    proxy_set_header Upgrade \$http_upgrade;
    proxy_set_header Connection \$connection_upgrade;
    proxy_set_header Host \$http_host;
    server {
        listen 127.0.0.1:$plain_port;
        listen 127.0.0.1:$tls_port ssl;
        listen unix:$work/nginx.socket;
        location / {
            proxy_pass http://plain;
        }
        location /tls {
            proxy_pass https://127.0.0.1:$tls_backend;
            proxy_ssl_name localhost;
            proxy_ssl_server_name on;
            proxy_ssl_verify on;
            proxy_ssl_verify_depth 2;
            proxy_ssl_trusted_certificate $root;
        }
        location /unix {
            proxy_pass http://unix:$work/server.socket;
        }
        location /nobody {
            proxy_pass http://unix:$work/nobody;
        }
        location /elsewhere {
            return 302 /;
        }
    }
    server {
        listen 127.0.0.1:$client_port ssl;
        ssl_verify_client on;
        ssl_client_certificate $root;
        location / {
            proxy_pass http://plain;
        }
    }
}
END
}

ready_or_gone() {
    [ -s "$work/nginx.pid" ] || gone nginx
}

# nginx does not choose ports itself, so one of them may be taken by the time it gets there.
start_nginx() {
    local attempt
    for attempt in 1 2 3 4 5; do
        plain_port=$(free_port) && tls_port=$(free_port) && client_port=$(free_port) || return 1
        write_configuration >"$work/nginx.conf"
        start nginx nginx -e "$work/nginx.log" -p "$work" -c "$work/nginx.conf"
        until_good 20 ready_or_gone
        if alive nginx && [ -s "$work/nginx.pid" ]; then
            return 0
        fi
        echo "attempt $attempt"
        cat "$work/nginx.errors" "$work/nginx.log"
        stop nginx
        rm -f "$work/nginx.socket" "$work/nginx.pid"
    done
    return 1
}

start_servers() {
    start_listening server "$server" --loop "$loop" --directory "$directory" \
        --unix "$work/server.socket" || return 1
    backend=$port
    start_listening tls-server "$server" --loop "$loop" --directory "$directory" \
        --tls "$certificates" || return 1
    tls_backend=$port
}

a_close_comes_through() {
    talk "${secure[@]}" --protocol command close 'close 4001 own words' &&
        printed 'closed 4001 own words'
}

last_words_come_through() {
    talk "${secure[@]}" --protocol command close 'farewell 300000' &&
        printed 'closed 1000 ' &&
        same "$(grep '^message ' "$lines" | wc -c)" $((8 + 300000 + 1))
}

a_client_certificate_is_shown() {
    local name
    refused 'server answered 400' "${certified[@]}" || return 1
    talk "${certified[@]}" --certificate "$certificates/client.pem" \
        --key "$certificates/client.key" ask hello && printed 'message hello' || return 1
    for name in other-client client-expired; do
        refused 'server answered 400' "${certified[@]}" --certificate "$certificates/$name.pem" \
            --key "$certificates/$name.key" || return 1
    done
}

a_file_over() {
    curl --silent --show-error --max-time 30 --cacert "$root" --output "$work/file" "$1" &&
        cmp "$work/file" "$directory/large.bin"
}

if ! start_servers; then
    step 'the servers start' told_by "$work"/*.errors
    summary
    exit 1
fi
step 'nginx starts' start_nginx
plain=(--port "$plain_port")
secure=(--address localhost --port "$tls_port" --ssl 1 --ca "$root")
certified=(--address localhost --port "$client_port" --ssl 1 --ca "$root")
step 'the client, without TLS' echo_ends_well "${plain[@]}"
step 'the client, TLS as far as nginx' echo_ends_well "${secure[@]}"
step 'the client, TLS on both ways' echo_ends_well "${secure[@]}" --path /tls
step 'the client, a Unix-domain socket behind nginx' echo_ends_well "${secure[@]}" --path /unix
step 'the client, a Unix-domain socket before nginx' echo_ends_well \
    --address "unix:$work/nginx.socket"
step 'the client, no nginx but the Unix-domain socket' echo_ends_well \
    --address "unix:$work/server.socket"
step 'the client, draft 8' echo_ends_well "${secure[@]}" --version 8
step 'a close comes through' a_close_comes_through
step 'last words come through' last_words_come_through
step 'nobody is behind nginx' refused 'server answered 502' "${secure[@]}" --path /nobody
step 'a redirection' refused 'server answered 302' "${secure[@]}" --path /elsewhere
step 'TLS on a port without it' refused '.+' "${plain[@]}" --ssl 1 --ca "$root"
step 'no TLS on a port with it' refused 'server answered 400' --port "$tls_port"
step 'a client certificate is shown' a_client_certificate_is_shown
step 'a file through nginx' a_file_over "https://localhost:$tls_port/large.bin"
# Where the server closes with 1009 it hangs up behind its close frame; nginx passes that on while
# the client still sends, and resets it, which may be faster than the frame.
for way in / /unix; do
    others "websockets, wss $way" "$python" "$here/python_websockets.py" \
        --without 'too large message is 1009' "wss://localhost:$tls_port$way" "$root"
done
for way in / /tls; do
    others "ws, wss $way" node "$node_scripts/node_ws.mjs" --without 'too large a message' \
        "wss://localhost:$tls_port$way" "$root"
done
step 'nginx ends' stop nginx
step 'the server ends' stop server
step 'the server with TLS ends' stop tls-server
summary

#!/bin/sh
# Prints the days on which something changed in the public headers, the first one first.
# usage: api-days.sh FOLDER-OF-HEADERS
{
    echo 20101218
    cat "$1"/*.h | grep -o 'LWS_\(SINCE\|BEFORE\)([0-9]*)' | grep -o '[0-9]*'
} | sort -u

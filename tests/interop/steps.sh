# Sourced by the scripts here: steps that are counted, and processes in the background, none of
# which outlives the script.
# shellcheck shell=bash

passed=0
failed=0
work=$(mktemp -d)
declare -A running=()

# A process that reads from here comes to the end of its input when this script is gone.
mkfifo "$work/life"
exec 3<>"$work/life"

clean_up() {
    local name
    for name in "${!running[@]}"; do
        kill "${running[$name]}" 2>/dev/null
    done
    for name in "${!running[@]}"; do
        ended "$name" 10 || kill -KILL "${running[$name]}" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-/usr/bin/python3}

# Where the modules of package.json are not beside the scripts but where NODE_MODULES says, the
# scripts go to them: an ES module is looked for from the place of the file that imports it.
node_scripts=$here
if [ -n "${NODE_MODULES:-}" ]; then
    node_scripts=$work/node-scripts
    mkdir "$node_scripts"
    cp "$here"/*.mjs "$node_scripts"
    ln -s "$(realpath "$NODE_MODULES")" "$node_scripts/node_modules"
fi

# step NAME COMMAND…: counts it, and shows what it has printed if it fails.
step() {
    local name=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sed 's/^/        /' "$work/output" | tail -n 40 | cut -c 1-200
    fi
}

# For step, where something that is no step of its own has failed.
told_by() {
    cat "$@"
    return 1
}

# Ends a script.
summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

same() {
    [ "$1" = "$2" ] || { echo "\"$1\" in place of \"$2\""; return 1; }
}

# until_good SECONDS COMMAND…: tries the command until it is good.
until_good() {
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        [ $SECONDS -le $end ] || return 1
        sleep 0.02
    done
}

# start NAME COMMAND…: in the background. What it prints goes to $work/NAME and $work/NAME.errors.
start() {
    local name=$1
    shift
    : >"$work/$name"
    setpriv --pdeathsig TERM "$@" <"$work/life" >"$work/$name" 2>"$work/$name.errors" 3>&- &
    running[$name]=$!
}

alive() {
    kill -0 "${running[$1]}" 2>/dev/null
}

gone() {
    ! alive "$1"
}

ended() {
    until_good "$2" gone "$1" && wait "${running[$1]}"
}

# stop NAME: with SIGTERM; returns its status.
stop() {
    local result
    kill "${running[$1]}" 2>/dev/null
    until_good 20 gone "$1" || kill -KILL "${running[$1]}" 2>/dev/null
    wait "${running[$1]}"
    result=$?
    unset "running[$1]"
    return $result
}

has_lines() {
    [ "$(wc -l <"$work/$1")" -ge "$2" ]
}

has_lines_or_is_gone() {
    has_lines "$1" "$2" || gone "$1"
}

# line NAME NUMBER: that line of what it has printed, as soon as there is one.
line() {
    until_good 30 has_lines_or_is_gone "$1" "$2"
    if ! has_lines "$1" "$2"; then
        cat "$work/$1.errors" >&2
        return 1
    fi
    sed -n "${2}p" "$work/$1"
}

# start_listening NAME COMMAND…: one whose first line is its port, which is put into $port.
start_listening() {
    start "$@"
    port=$(line "$1" 1) && [ -n "$port" ]
}

# A port for programs that do not choose one themselves: free a moment ago, and below those that
# connections are given.
free_port() {
    "$python" -c 'import random, socket
while True:
    port = random.randrange(20000, 32000)
    with socket.socket() as s:
        try:
            s.bind(("0.0.0.0", port))
        except OSError:
            continue
        print(port)
        break'
}

# --- tests/interop/client.c, as $client, on $loop

lines=$work/lines

# talk ARGUMENT…: runs it; its lines are left in the file $lines.
talk() {
    local result
    "${client:?}" --loop "${loop:?}" "$@" >"$lines"
    result=$?
    cat "$lines"
    return $result
}

# printed LINE: whether it has printed exactly this.
printed() {
    grep -qxF -e "$1" "$lines" || { echo "no line \"$1\""; return 1; }
}

# A message and a close; all messages of series.h and a close.
echo_once() {
    talk "$@" ask hello && printed 'message hello' && printed 'closed 1000 done'
}

echo_ends_well() {
    talk "$@" echo && printed 'closed 1000 done'
}

# refused REASON ARGUMENT…: nothing comes of it but this CLIENT_CONNECTION_ERROR, once. REASON is an
# extended regular expression.
refused() {
    local reason=$1
    shift
    talk "$@" expect-error || return 1
    same "$(wc -l <"$lines")" 1 || return 1
    grep -qxE -e "error $reason" "$lines" || { echo "not the error $reason"; return 1; }
}

# --- scripts that count for themselves

# others WHAT COMMAND…: one of them; its steps are counted here and told with WHAT before them.
others() {
    local what=$1 last
    shift
    timeout 600 "$@" >"$work/others" 2>&1
    last=$(tail -n 1 "$work/others")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
        sed '$d' "$work/others" |
            awk -v what="$what: " '/^(ok|FAILED) / { $0 = substr($0, 1, 8) what substr($0, 9) } 1'
    else
        failed=$((failed + 1))
        echo "FAILED  $what came to no end"
        tail -n 20 "$work/others"
    fi
}

#!/bin/sh
# The rules of the architecture that can be read off the sources: a layer of the core includes only
# itself and those below it; the core never waits; adapters and examples know the public headers
# only; no file of the core is long. Run from the top of the build folder.
set -u
srcdir=${srcdir:-.}
NM=${NM:-nm}
longest=700
layers="base codec platform transport connection service"
waiting='poll|ppoll|select|pselect|epoll_wait|epoll_pwait|epoll_pwait2|sleep|usleep|nanosleep|clock_nanosleep|pause|sigwait'
status=0
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

complain() {
    echo "$1"
    status=1
}

# includes FILE KIND: the names included with quotes or with angle brackets, one per line.
includes() {
    case $2 in
    quotes) sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$1" ;;
    brackets) sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$1" ;;
    esac
}

# without_comments FILE: the same lines without comments and without what stands in strings.
without_comments() {
    sed 's/\\"//g; s/"[^"]*"/""/g' "$1" | awk '
        {
            line = $0
            out = ""
            while (line != "") {
                if (comment) {
                    end = index(line, "*/")
                    if (end == 0)
                        break
                    line = substr(line, end + 2)
                    comment = 0
                } else {
                    start = index(line, "/*")
                    rest = index(line, "//")
                    if (rest > 0 && (start == 0 || rest < start)) {
                        out = out substr(line, 1, rest - 1)
                        break
                    }
                    if (start == 0) {
                        out = out line
                        break
                    }
                    out = out substr(line, 1, start - 1) " "
                    line = substr(line, start + 2)
                    comment = 1
                }
            }
            print out
        }'
}

is_public() {
    case $1 in
    lws_poll.h | lws_uv.h | lws_event.h) return 0 ;;
    */*) return 1 ;;
    esac
    [ -e "$srcdir/core/include/$1" ]
}

below=""
files=0
for layer in $layers; do
    below="$below $layer"
    for file in "$srcdir/core/$layer"/*.[ch]; do
        [ -e "$file" ] || continue
        files=$((files + 1))
        for name in $(includes "$file" quotes) $(includes "$file" brackets); do
            case " $layers " in
            *" ${name%%/*} "*)
                case " $below " in
                *" ${name%%/*} "*) ;;
                *) complain "$file: $layer includes $name, which is above it" ;;
                esac
                ;;
            esac
        done
        for name in $(includes "$file" quotes); do
            case " $layers " in
            *" ${name%%/*} "*) continue ;;
            esac
            [ "$name" = config.h ] || is_public "$name" ||
                complain "$file: \"$name\" is neither LAYER/NAME nor a public header"
        done
    done
done
[ "$files" -gt 0 ] || complain "no sources were found in $srcdir/core"

for file in "$srcdir"/core/*/*.[ch]; do
    lines=$(wc -l <"$file")
    [ "$lines" -lt "$longest" ] || complain "$file: $lines lines; it is to have less than $longest"
    without_comments "$file" >"$work/source"
    if grep -n -E "(^|[^A-Za-z0-9_])($waiting)[[:space:]]*\(" "$work/source" >"$work/calls"; then
        complain "$file: the core waits: $(cat "$work/calls")"
    fi
done

# What the sources hide, the library shows.
if [ -e core/.libs/liblwsloop.so ]; then
    $NM -D --undefined-only --format=posix core/.libs/liblwsloop.so |
        awk '{ sub(/@.*/, "", $1); print $1 }' >"$work/imported"
    if grep -x -E "(__)?($waiting)(_chk)?" "$work/imported" >"$work/calls"; then
        complain "liblwsloop calls $(tr '\n' ' ' <"$work/calls")"
    fi
fi

for file in "$srcdir"/adapters/*.[ch] "$srcdir"/adapters/*/*.[ch] "$srcdir"/examples/*.[ch] \
    "$srcdir"/examples/*/*.[ch]; do
    [ -e "$file" ] || continue
    folder=${file%/*}
    for name in $(includes "$file" quotes); do
        is_public "$name" && continue
        # Of its own part of the tree, then: beside it, or for adapters one folder up.
        case $name in
        ../*/*) complain "$file: includes $name" ;;
        *) [ -e "$folder/$name" ] || complain "$file: $name is not a public header" ;;
        esac
    done
    for name in $(includes "$file" brackets); do
        case " $layers core " in
        *" ${name%%/*} "*) complain "$file: <$name> is inside the engine" ;;
        esac
    done
done
echo "$files files in the layers$below"
exit $status

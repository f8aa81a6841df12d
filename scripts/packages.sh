# Sourced by demo and check: installs Debian packages that are missing, and prepares the sources.
# shellcheck shell=bash

# The build needs these. In front of each package is how to see whether it is there: a command, a
# file, a module of pkg-config's or one of Python's, or a compiler's sanitizers.
# shellcheck disable=SC2034
build_packages=(
    command:gcc=gcc
    file:/usr/include/stdio.h=libc6-dev
    command:make=make
    command:autoconf=autoconf
    command:automake=automake
    command:libtoolize=libtool
    command:pkg-config=pkg-config
    module:libuv=libuv1-dev
    module:libevent_core=libevent-dev
    module:openssl=libssl-dev
    module:zlib=zlib1g-dev
)

# is_there KIND:NAME
is_there() {
    case $1 in
    command:*) command -v "${1#*:}" >/dev/null ;;
    file:*) [ -e "${1#*:}" ] ;;
    module:*) pkg-config --exists "${1#*:}" 2>/dev/null ;;
    python:*) /usr/bin/python3 -c "import ${1#*:}" 2>/dev/null ;;
    sanitizers:*)
        echo 'int main(void) { return 0; }' |
            "${1#*:}" -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null
        ;;
    esac
}

# missing_packages KIND:NAME=PACKAGE…: prints the packages that are not there.
missing_packages() {
    local entry
    for entry; do
        is_there "${entry%=*}" || echo "${entry##*=}"
    done | sort -u
}

# install_packages LOG KIND:NAME=PACKAGE…: installs what is missing, as root or with sudo.
install_packages() {
    local log=$1 missing as_root=()
    shift
    read -r -d '' -a missing <<<"$(missing_packages "$@")"
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "Please install what these packages of Debian's have: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Please install these packages, as root: ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "Installing ${missing[*]}"
    # Another apt-get may be running: it is waited for.
    if ! "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 ||
        ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
            install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "The packages could not be installed; all of it is in $log" >&2
        return 1
    fi
    read -r -d '' -a missing <<<"$(missing_packages "$@")"
    if [ ${#missing[@]} -gt 0 ]; then
        echo "Installed, but still not to be found: ${missing[*]}" >&2
        return 1
    fi
}

# choose_source ROOT BUILD: puts into $source where to build from. That is ROOT, unless somebody has
# built inside it, which configure refuses to build from elsewhere; then it is a copy under BUILD.
choose_source() {
    source_root=$1
    source=$1
    [ ! -e "$1/config.status" ] || source=$2/source
}

# prepare_source: makes the copy, if there is to be one, and the configure script.
prepare_source() {
    if [ "$source" != "$source_root" ]; then
        rm -rf "$source" && mkdir -p "$source" || return 1
        tar -C "$source_root" --exclude=./build --exclude=./.git --exclude=node_modules -cf - . |
            tar -C "$source" -xf - || return 1
        make -C "$source" distclean || return 1
    fi
    if [ ! -e "$source/configure" ] || [ "$source/configure.ac" -nt "$source/configure" ]; then
        (cd "$source" && autoreconf -fi)
    fi
}

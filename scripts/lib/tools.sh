# shellcheck shell=bash
#
# Programs that checks and tests run, and that nobody has to install for good. Sourced after
# services.sh, whose words it uses.
#
#   find_tool NAME PACKAGE [PATH]   sets tool to the program NAME: of PATH, or out of the Debian
#                                   package PACKAGE, unpacked under .local/tools without installing
#                                   it, so that no server of the system's own begins to run
#   find_file PATH PACKAGE          sets file to what the package has under that path, likewise
#
# Return 1 where there is neither.

tools_dir=${root:?}/.local/tools

find_tool() {
    local name=$1 package=$2
    tool=$(command -v "$name") && return 0
    for tool in "$tools_dir/usr/bin/$name" "$tools_dir/usr/sbin/$name"; do
        [ ! -x "$tool" ] || return 0
    done
    unpack_package "$package" || return 1
    for tool in "$tools_dir/usr/bin/$name" "$tools_dir/usr/sbin/$name"; do
        # A library that it needs may be missing here.
        if [ -x "$tool" ] && ! ldd "$tool" 2>&1 | grep -q 'not found'; then
            return 0
        fi
        rm -f "$tool"
    done
    tool=''
    return 1
}

find_file() {
    local path=$1 package=$2
    for file in "/$path" "$tools_dir/$path"; do
        [ ! -f "$file" ] || return 0
    done
    unpack_package "$package" && [ -f "$file" ] && return 0
    file=''
    return 1
}

unpack_package() (
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 1
    umask 022
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    # The downloading user of apt's, where there is one, has to get in.
    chmod 755 "$directory"
    cd "$directory" || exit 1
    say "fetching the Debian package $1 into .local/tools"
    if ! apt-get download -q "$1" >/dev/null 2>&1; then
        # Lists that are missing, or older than the archive.
        [ "$(id -u)" = 0 ] && apt-get update -q >/dev/null 2>&1 || exit 1
        apt-get download -q "$1" >/dev/null 2>&1 || exit 1
    fi
    mkdir -p "$tools_dir"
    for archive in *.deb; do
        dpkg-deb -x "$archive" "$tools_dir"
    done
)

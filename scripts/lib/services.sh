# shellcheck shell=bash
#
# Private PostgreSQL and Redis servers for this checkout, and what else the scripts share.
# Sourced, by bash 3.2 or newer, with `set -euo pipefail`.
#
#   need_rust                   a Rust toolchain and a C compiler, or an explanation
#   services_start run|test|chaos|bench   both servers of one set; sets postgres_url and redis_url
#   services_select SET         which set the functions below work on
#   services_stop               leaves them, and stops them if nobody else is using them
#   run_job COMMAND…            a command that ends at once with the script
#   build_programs PROGRAM…     programs of this checkout
#
# Before services_start, need_postgres=no or need_redis=no leaves one of them out.
#
# A set lives under .local/<set>: `settings` (ports, password), `users/<pid>` (the scripts that
# use it now), `lock` (held while one starts or stops) and `data`. The servers listen on the
# loopback only, on ports chosen once, behind a random password. As root they run as the user
# postgres, and `data` is a link if that user cannot reach the checkout.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
need_postgres=yes
need_redis=yes
job=''
joined=''
locked=''

# A script may be started with next to nothing in its environment.
if [ -z "${HOME:-}" ]; then
    unset HOME
    HOME=~
    export HOME
fi
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/opt/homebrew/bin:/usr/local/bin:/usr/sbin:/sbin
export PATH

# ---------------------------------------------------------------- words

# Never fails: nobody may be listening any more while a script cleans up.
say() { printf '%s\n' "$*" >&2 || :; }

die() {
    say "error: $*"
    exit 1
}

# ---------------------------------------------------------------- processes and ports

# Dead is also what only waits for its parent to notice, which the first process of a container
# may never do.
alive() {
    case $(cat "/proc/$1/stat" 2>/dev/null || ps -p "$1" -o stat= 2>/dev/null || :) in
        *') Z '* | Z*) return 1 ;;
        ?*) return 0 ;;
    esac
    kill -0 "$1" 2>/dev/null
}

# A background job has its own process group, which can be ended as a whole; and bash runs traps
# while it waits for one, but not before a foreground command has ended.
run_job() {
    local status=0
    set -m
    "$@" </dev/null &
    job=$!
    set +m
    wait "$job" || status=$?
    job=''
    return "$status"
}

end_job() {
    [ -n "$job" ] || return 0
    kill -TERM -- "-$job" 2>/dev/null || :
    wait "$job" 2>/dev/null || :
    job=''
}

port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || (exec 3<>"/dev/tcp/::1/$1") 2>/dev/null
}

# Sets free_port to one on which nobody listens, below those given to outgoing connections.
choose_port() {
    local tries
    for tries in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        free_port=$((20000 + RANDOM % 12000))
        [ "$free_port" = "${pg_port:-}" ] || [ "$free_port" = "${redis_port:-}" ] ||
            port_taken "$free_port" || return 0
    done
    die "no free port found in $tries tries"
}

# ---------------------------------------------------------------- finding and installing

need_rust() {
    command -v cargo >/dev/null ||
        die "Rust is missing. Install it as https://rustup.rs says and run this again."
    command -v cc >/dev/null && return 0
    [ "$(uname)" != Darwin ] || die "a C compiler is missing. Install it with: xcode-select --install"
    install_missing "a C compiler" "gcc libc6-dev" ""
    command -v cc >/dev/null || die "a C compiler (cc) is still not found. Put one on PATH."
}

# Sets pg_bin to a directory with the programs of PostgreSQL ≥ 15, or of exactly the major
# version $1 when data of that version exists.
find_postgres() {
    local wanted=${1:-} directory version name
    pg_bin=''
    # The last that fits: the newest of a place, and before all places what PATH says.
    for directory in /usr/pgsql-*/bin /usr/lib/postgresql/*/bin \
        /usr/local/opt/postgresql@*/bin /opt/homebrew/opt/postgresql@*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin \
        "$(pg_config --bindir 2>/dev/null || :)" \
        "$(dirname "$(command -v postgres || echo /nowhere/postgres)")"; do
        for name in postgres initdb pg_ctl psql pg_config; do
            [ -x "$directory/$name" ] || continue 2
        done
        [ -f "$("$directory/pg_config" --sharedir)/extension/btree_gist.control" ] || continue
        version=$("$directory/postgres" --version | awk '{ print int($3) }')
        if [ "$version" = "$wanted" ] || { [ -z "$wanted" ] && [ "$version" -ge 15 ]; }; then
            pg_bin=$directory
            pg_version=$version
        fi
    done
    [ -n "$pg_bin" ]
}

# Sets redis_bin to Redis ≥ 7 or its twin.
find_redis() {
    local name version
    for name in redis-server valkey-server; do
        redis_bin=$(command -v "$name") || continue
        version=$("$redis_bin" --version | sed -n 's/.* v=\([0-9]*\).*/\1/p')
        [ "${version:-0}" -lt 7 ] || return 0
    done
    redis_bin=''
    return 1
}

# build_programs PROGRAM…: unless a script before this one has built everything, and says so with
# BUILT=yes. Cargo builds the libraries anew for each selection of programs and tests that wants
# other features of them.
build_programs() {
    local program
    [ "${BUILT:-}" != yes ] || return 0
    for program in "$@"; do
        run_job cargo build --locked --bin "$program"
    done
}

find_services() {
    local what='' apt='' brew='' wanted=''
    if [ "$need_postgres" = yes ]; then
        # Only what tests left may be thrown away for another version.
        [ "$services_set" != run ] || wanted=$(cat "$data/postgres/PG_VERSION" 2>/dev/null || :)
        if ! find_postgres "$wanted"; then
            what="PostgreSQL ${wanted:-15 or newer} with its contrib modules"
            apt="postgresql${wanted:+-$wanted}"
            brew=" postgresql@${wanted:-17}"
        fi
    fi
    if [ "$need_redis" = yes ] && ! find_redis; then
        what="$what${what:+ and }Redis 7 or newer"
        apt="$apt redis-server"
        brew="$brew redis"
    fi
    [ -n "$what" ] || return 0
    install_missing "$what" "$apt" "$brew"
    [ "$need_postgres" = no ] || find_postgres "$wanted" ||
        die "PostgreSQL ${wanted:-15 or newer} is still not found. Put its programs on PATH, or set DATABASE_URL."
    [ "$need_redis" = no ] || find_redis ||
        die "Redis 7 or newer is still not found. Put redis-server on PATH, or set REDIS_URL."
}

# install_missing WHAT APT-PACKAGES BREW-PACKAGES
install_missing() {
    local what=$1 as_root='' packages
    if command -v apt-get >/dev/null; then
        read -r -a packages <<<"$2"
        [ "$(id -u)" = 0 ] || as_root=sudo
        [ -z "$as_root" ] || command -v sudo >/dev/null ||
            die "$what is missing. Run this as root: apt-get install ${packages[*]}"
        may_install "$what" "${as_root:+sudo }apt-get install ${packages[*]}"
        $as_root apt-get update -q >&2
        apt_is_recent_enough "${packages[@]}"
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
            --no-install-recommends -o DPkg::Lock::Timeout=120 "${packages[@]}" >&2
    elif [ -n "$3" ] && command -v brew >/dev/null; then
        read -r -a packages <<<"$3"
        [ "$(id -u)" != 0 ] || die "$what is missing. Run this as yourself: brew install ${packages[*]}"
        may_install "$what" "brew install ${packages[*]}"
        brew install "${packages[@]}" >&2
    elif [ "$(uname)" = Darwin ]; then
        die "$what is missing. Get Homebrew from https://brew.sh and run: brew install$3"
    else
        die "$what is missing. Install it with your system's package manager."
    fi
}

# may_install WHAT COMMAND: root and CI are not asked.
may_install() {
    local answer=''
    if [ "$(id -u)" = 0 ] || [ -n "${CI:-}" ]; then
        say "$1 is missing: $2"
        return 0
    fi
    [ -t 0 ] || die "$1 is missing. Install it with: $2"
    say "$1 is missing. It can be installed with"
    say "    $2"
    say "which on Debian also starts servers of the system's own; QTable leaves those alone."
    read -r -p "Install it now? [y/N] " answer
    case $answer in
        y | Y | yes | Yes) ;;
        *) die "nothing was installed" ;;
    esac
}

# An older release of the system has older servers: say so rather than install them.
apt_is_recent_enough() {
    local package least version
    for package in "$@"; do
        case $package in
            postgresql) least=15 ;;
            redis-server) least=7 ;;
            *) continue ;;
        esac
        version=$(LC_ALL=C apt-cache policy "$package" |
            awk '$1 == "Candidate:" { sub(/^[0-9]+:/, "", $2); print int($2) }')
        [ "${version:-0}" -ge "$least" ] ||
            die "this system's package $package is older than $least. Install version $least or newer from
    https://www.postgresql.org/download/  or  https://redis.io/docs/latest/operate/oss_and_stack/install/
or set DATABASE_URL and REDIS_URL to servers that you have."
    done
}

# ---------------------------------------------------------------- a set of servers

services_select() {
    services_set=$1
    local_dir=$root/.local/$services_set
    mkdir -p "$local_dir/users"
    # The servers' user passes through to its data; secrets have their own modes.
    chmod 711 "$root/.local" "$local_dir"
    data=$(data_directory)
}

services_start() {
    services_select "$1"
    find_services
    services_lock
    # Another script may have made it while this one waited.
    data=$(data_directory)
    choose_service_user
    prepare_data
    read_settings
    joined=yes
    : >"$local_dir/users/$$"
    [ "$need_postgres" = no ] || start_postgres
    [ "$need_redis" = no ] || start_redis
    services_unlock
    postgres_url=postgres://qtable:$password@127.0.0.1:$pg_port/qtable
    redis_url=redis://:$password@127.0.0.1:$redis_port/0
    export postgres_url redis_url
}

services_stop() {
    local user
    if [ -n "$joined" ]; then
        services_lock
        rm -f "$local_dir/users/$$"
        for user in "$local_dir/users"/*; do
            [ -e "$user" ] || continue
            if alive "${user##*/}"; then
                joined=''
            else
                rm -f "$user"
            fi
        done
        if [ -n "$joined" ]; then
            stop_postgres
            stop_redis
            forget_temporary_data
        fi
        joined=''
    fi
    services_unlock
}

# The lock is a link to its holder's process id, which needs no second step to be complete.
services_lock() {
    local lock=$local_dir/lock holder tries=0
    [ -z "$locked" ] || return 0
    until ln -sn "$$" "$lock" 2>/dev/null; do
        holder=$(readlink "$lock" || :)
        if [ -n "$holder" ] && ! alive "$holder"; then
            # Another script may just have done the same: take away only what was seen.
            if mv "$lock" "$lock.$$" 2>/dev/null; then
                [ "$(readlink "$lock.$$")" = "$holder" ] ||
                    ln -sn "$(readlink "$lock.$$")" "$lock" 2>/dev/null || :
                rm -f "$lock.$$"
            fi
            continue
        fi
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || die "process $holder has held $lock for two minutes"
        sleep 0.1
    done
    locked=yes
}

services_unlock() {
    [ -z "$locked" ] || rm -f "$local_dir/lock"
    locked=''
}

# Where the data is: behind the link, because the servers' user may not get through the checkout.
data_directory() {
    readlink "$local_dir/data" || echo "$local_dir/data"
}

as_service() {
    if [ -z "$service_user" ]; then
        "$@"
    elif command -v runuser >/dev/null; then
        (cd / && runuser -u "$service_user" -- "$@")
    else
        (cd / && su -s /bin/sh "$service_user" -c "$(printf '%q ' "$@")")
    fi
}

# PostgreSQL refuses to run as root.
choose_service_user() {
    service_user=''
    [ "$(id -u)" = 0 ] || return 0
    service_user=postgres
    id "$service_user" >/dev/null 2>&1 || service_user=nobody
    # Data that a plain user's run has made stays that user's.
    # An empty directory is only half a beginning.
    if [ -d "$data" ] && ! rmdir "$data" 2>/dev/null; then
        service_user=$(find "$data" -prune -exec ls -ld {} \; | awk '{ print $3 }')
        [ "$service_user" != root ] || die "$data belongs to root. Remove it and run this again."
    fi
}

prepare_data() {
    local place
    [ ! -d "$data" ] || return 0
    rm -f "$local_dir/data"
    for place in "$local_dir/data" ''; do
        [ -n "$place" ] || place=$(elsewhere)
        mkdir -p "$place"
        chmod 700 "$place"
        if [ -z "$service_user" ]; then
            data=$place
            return 0
        fi
        chown "$service_user" "$place"
        if as_service test -w "$place" 2>/dev/null; then
            data=$place
            [ "$place" = "$local_dir/data" ] || ln -sn "$place" "$local_dir/data"
            return 0
        fi
        rmdir "$place"
    done
    die "user $service_user reaches neither $local_dir nor $place"
}

# A place outside the checkout, of this checkout's own.
elsewhere() {
    local parent=/var/lib/qtable-local
    if [ "$services_set" != run ]; then
        mktemp -d "/tmp/qtable-$services_set.XXXXXX"
    else
        mkdir -p "$parent"
        chmod 711 "$parent"
        echo "$parent/$(printf '%s' "$root" | cksum | tr ' ' '-')"
    fi
}

# What tests leave outside the checkout would stay there for good.
forget_temporary_data() {
    case $data in
        /tmp/qtable-test.* | /tmp/qtable-chaos.* | /tmp/qtable-bench.*)
            rm -rf "$data" "$local_dir/data"
            ;;
    esac
}

read_settings() {
    pg_port='' redis_port=''
    if [ -e "$local_dir/settings" ]; then
        # shellcheck source=/dev/null
        . "$local_dir/settings" || die "$local_dir/settings cannot be read"
        return 0
    fi
    password=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    choose_port
    pg_port=$free_port
    choose_port
    redis_port=$free_port
    # Data without its password: somebody has removed .local to begin anew, or by mistake.
    if [ "$services_set" = run ] && [ -e "$data/postgres" ]; then
        stop_postgres
        say "there is no $local_dir/settings: the database of before is kept in $data/postgres.$$"
        mv "$data/postgres" "$data/postgres.$$"
    fi
    rm -rf "$data/postgres"
    write_settings
}

write_settings() {
    (
        umask 077
        printf 'pg_port=%s\nredis_port=%s\npassword=%s\n' "$pg_port" "$redis_port" "$password" \
            >"$local_dir/settings.new"
    )
    mv "$local_dir/settings.new" "$local_dir/settings"
}

# ---------------------------------------------------------------- PostgreSQL

postgres_answers() {
    PGPASSWORD=$password PGCONNECT_TIMEOUT=5 "$pg_bin/psql" -X -q -A -t \
        -h 127.0.0.1 -p "$pg_port" -U qtable -d qtable -c 'SELECT 1' >/dev/null 2>&1
}

# The process that holds the data directory, if there is one. A server that was killed leaves its
# file, and its number may belong to something else by now.
postgres_pid() {
    local pid name
    pid=$(head -n 1 "$data/postgres/postmaster.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && alive "$pid" || return 1
    name=$(cat "/proc/$pid/comm" 2>/dev/null || ps -p "$pid" -o comm= 2>/dev/null || echo postgres)
    case $name in
        *postgres* | *postmaster*) echo "$pid" ;;
        *) return 1 ;;
    esac
}

start_postgres() {
    local tries=0
    if postgres_pid >/dev/null; then
        # It may still be starting or recovering.
        until postgres_answers; do
            tries=$((tries + 1))
            [ "$tries" -lt 300 ] || die "PostgreSQL in $data/postgres runs but does not answer"
            sleep 0.2
        done
        return 0
    fi
    if [ -e "$data/postgres/postmaster.pid" ]; then
        rm -f "$data/postgres/postmaster.pid"
        # Without fsync, what was not shut down is not to be trusted.
        [ "$services_set" = run ] || rm -rf "$data/postgres"
    fi
    if [ "$(cat "$data/postgres/PG_VERSION" 2>/dev/null || :)" != "$pg_version" ]; then
        rm -rf "$data/postgres"
        init_postgres
    fi
    if port_taken "$pg_port"; then
        choose_port
        pg_port=$free_port
        write_settings
    fi
    launch_postgres_patiently
    postgres_answers || die "PostgreSQL has started but does not let us in; see $data/postgres.log"
}

# The children of a killed server take a moment to notice.
launch_postgres_patiently() {
    local tries=0
    until launch_postgres; do
        tries=$((tries + 1))
        if [ "$tries" -ge 10 ] || ! grep -q 'shared memory block' "$data/postgres.log"; then
            cat "$data/postgres.log" >&2 || :
            die "PostgreSQL does not start; its data is in $data/postgres"
        fi
        sleep 1
    done
}

launch_postgres() {
    local options="-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    case $services_set in
        run) options="$options -c max_connections=200" ;;
        test)
            # Fast rather than durable, but in the same order of events as in production.
            options="$options -c fsync=off -c full_page_writes=off -c synchronous_commit=on"
            options="$options -c max_connections=400 -c shared_buffers=128MB -c log_checkpoints=off"
            ;;
        chaos)
            # Processes are killed, never the machine: what they have written stays in the page
            # cache. A kill may tear a page, though, so whole pages go to the WAL.
            options="$options -c fsync=off -c full_page_writes=on -c synchronous_commit=on"
            options="$options -c max_connections=200 -c shared_buffers=64MB -c log_checkpoints=off"
            ;;
        bench)
            # What is compared is the work, not the disk: with fsync, whoever commits one after the
            # other waits for it, and all ratios come near to 1.
            options="$options -c fsync=${FSYNC:-off} -c full_page_writes=on -c synchronous_commit=on"
            options="$options -c max_connections=200 -c shared_buffers=512MB -c max_wal_size=4GB"
            options="$options -c log_checkpoints=off"
            ;;
    esac
    as_service rm -f "$data/postgres.log"
    as_service "$pg_bin/pg_ctl" start -w -t 120 -D "$data/postgres" -l "$data/postgres.log" \
        -o "$options" >/dev/null 2>&1
}

# Complete or not there at all: it is built beside its place. The role is a plain one, as on a
# managed server.
init_postgres() {
    local building=$data/postgres.building options
    rm -rf "$building"
    case $services_set in
        run) options=(--auth=scram-sha-256) ;;
        # Tests connect often, and an unoptimised client takes 50 ms for a SCRAM exchange.
        test | chaos | bench) options=(--auth=password --no-sync) ;;
    esac
    case $(locale -a 2>/dev/null || :) in
        *C.utf8* | *C.UTF-8*) options+=(--locale=C.UTF-8) ;;
        *en_US.UTF-8*) options+=(--locale=C --lc-ctype=en_US.UTF-8) ;;
        *) options+=(--locale=C) ;;
    esac
    # Errors are recognised by their English words.
    options+=(--lc-messages=C)
    printf '%s\n' "$password" | as_service tee "$data/password" >/dev/null
    as_service "$pg_bin/initdb" -D "$building" -U postgres --encoding=UTF8 "${options[@]}" \
        --pwfile="$data/password" >/dev/null
    rm -f "$data/password"
    printf '%s\n' "CREATE ROLE qtable LOGIN CREATEDB PASSWORD '$password'" \
        'CREATE DATABASE qtable OWNER qtable' |
        as_service "$pg_bin/postgres" --single -c log_checkpoints=off -D "$building" postgres >/dev/null
    mv "$building" "$data/postgres"
}

stop_postgres() {
    local pid tries=0
    pid=$(postgres_pid) || return 0
    # A fast shutdown: connections are ended, data is written.
    kill -INT "$pid"
    while postgres_pid >/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -ge 600 ]; then
            say "PostgreSQL in $data/postgres could not be stopped"
            return 0
        fi
        sleep 0.1
    done
}

# ---------------------------------------------------------------- Redis

# redis_says REPLY COMMAND: by bash alone, since redis-cli is another package. Whoever accepts the
# password is ours.
redis_says() (
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$redis_port" || exit 1
    printf 'AUTH %s\r\n%s\r\n' "$password" "$2" >&3
    read -r -t 5 line <&3 && [ "${line%$'\r'}" = +OK ] || exit 1
    read -r -t 5 line <&3 || :
    [ "${line%$'\r'}" = "$1" ]
) 2>/dev/null

start_redis() {
    local tries=0
    redis_says +PONG PING && return 0
    if port_taken "$redis_port"; then
        choose_port
        redis_port=$free_port
        write_settings
    fi
    (
        umask 077
        cat >"$data/redis.conf" <<CONF
bind 127.0.0.1
port $redis_port
requirepass $password
save ""
appendonly no
daemonize yes
dir "$data"
pidfile "$data/redis.pid"
logfile "$data/redis.log"
CONF
    )
    [ -z "$service_user" ] || chown "$service_user" "$data/redis.conf"
    rm -f "$data/redis.log"
    as_service "$redis_bin" "$data/redis.conf" >/dev/null
    until redis_says +PONG PING; do
        tries=$((tries + 1))
        if [ "$tries" -ge 100 ]; then
            cat "$data/redis.log" >&2 || :
            die "Redis does not start"
        fi
        sleep 0.1
    done
}

stop_redis() {
    local tries=0
    redis_says +PONG PING || return 0
    redis_says '' 'SHUTDOWN NOSAVE' || :
    while port_taken "$redis_port"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 100 ]; then
            say "Redis on port $redis_port could not be stopped"
            return 0
        fi
        sleep 0.1
    done
}

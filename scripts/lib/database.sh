# shellcheck shell=bash
#
# PostgreSQL's client programs for the scripts that save and restore. Sourced after services.sh.
#
#   need_client         sets client to the directory of pg_dump, pg_restore and psql; their version
#                       is not older than that of the server at DATABASE_URL
#   database_named NAME prints DATABASE_URL with another database
#   ask URL SQL         prints the answer, bare

need_client() {
    local directory version server
    [ -n "${DATABASE_URL:-}" ] || die "DATABASE_URL is not set: which database?"
    [[ $DATABASE_URL =~ ^postgres(ql)?://[^/]+/[^/?]+ ]] ||
        die "DATABASE_URL is to be postgres://user:password@host:port/name"
    client=''
    for directory in "$(dirname "$(command -v pg_dump || echo /nowhere/pg_dump)")" \
        /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql@*/bin /opt/homebrew/opt/libpq/bin; do
        if [ ! -x "$directory/pg_dump" ] || [ ! -x "$directory/pg_restore" ] ||
            [ ! -x "$directory/psql" ]; then
            continue
        fi
        client=$directory
        server=${server:-$(ask "$DATABASE_URL" 'SHOW server_version_num')} ||
            die "the database at DATABASE_URL does not answer"
        version=$("$directory/pg_dump" --version | sed 's/.* \([0-9]*\).*/\1/')
        [ "$version" -lt $((server / 10000)) ] || return 0
    done
    [ -n "$client" ] || die "pg_dump is missing. Install PostgreSQL's client programs (Debian: postgresql-client)."
    die "pg_dump is older than the server, version $((server / 10000)). Install its client programs."
}

database_named() {
    [[ $DATABASE_URL =~ ^([^:]+://[^/]+/)([^?]*)(.*)$ ]]
    printf '%s%s%s' "${BASH_REMATCH[1]}" "$1" "${BASH_REMATCH[3]}"
}

ask() {
    PGCONNECT_TIMEOUT=10 "$client/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# The checksum of standard input, in the words of sha256sum.
checksum() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# shellcheck shell=bash disable=SC2034
# Shared by the scripts; to be sourced. Gives them the program, a pretend tenant with two secrets to copy,
# Auth0's SDK for Node.js, and words to assert with.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
children=()

finish() {
    local code=$?
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    return 1
}

passed() { printf 'ok: %s\n' "$*"; }

# need PROGRAM PACKAGE: installs the Debian package that brings the program, if it is not there.
need() {
    command -v "$1" >/dev/null && return
    printf 'installing %s (for %s) with apt-get\n' "$2" "$1" >&2
    { apt-get install -y -qq "$2" || { apt-get update -qq && apt-get install -y -qq "$2"; }; } >"$work/apt.log" 2>&1 ||
        { cat "$work/apt.log" >&2; fail "apt-get could not install $2"; }
}

# within SECONDS COMMAND…: polls until the command succeeds.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# The program under test; `ROLLOVER=… tests/clipboard.sh` takes another one.
program() {
    if [[ -z ${ROLLOVER:-} ]]; then
        (cd "$root" && cargo build --quiet)
        ROLLOVER=${CARGO_TARGET_DIR:-$root/target}/debug/rollover
    fi
    # A copy that every user can run, for the parts that must not run as root.
    chmod 755 "$work"
    install -m 755 "$ROLLOVER" "$work/rollover"
    rollover=$work/rollover
}

# Starts a pretend tenant: sets AUTH0_DOMAIN and AUTH0_API_TOKEN for `rollover copy`, and the ids and
# secrets of two clients. The secrets are asked for over HTTP, not with the program under test.
tenant() {
    need curl curl
    need jq jq
    mkdir -m 700 "$work/home"
    export ROLLOVER_HOME=$work/home
    "$rollover" sim >"$work/sim.out" 2>"$work/sim.err" &
    children+=("$!")
    within 20 test -s "$work/sim.out" || { cat "$work/sim.err" >&2; fail 'the pretend tenant did not start'; }
    AUTH0_DOMAIN=$(head -n 1 "$work/sim.out" | jq -r .url)
    AUTH0_API_TOKEN=$(head -n 1 "$work/sim.out" | jq -r .token)
    export AUTH0_DOMAIN AUTH0_API_TOKEN
    (umask 077 && printf 'Authorization: Bearer %s' "$AUTH0_API_TOKEN" >"$work/authorization")
    curl -sf -H "@$work/authorization" \
        "$AUTH0_DOMAIN/api/v2/clients?app_type=regular_web&fields=client_id,client_secret" >"$work/clients.json"
    client_one=$(jq -r '[.[] | select(.client_secret)][0].client_id' "$work/clients.json")
    client_two=$(jq -r '[.[] | select(.client_secret)][1].client_id' "$work/clients.json")
    secret_one=$(jq -r '[.[] | select(.client_secret)][0].client_secret' "$work/clients.json")
    secret_two=$(jq -r '[.[] | select(.client_secret)][1].client_secret' "$work/clients.json")
    [[ ${#secret_one} -ge 32 && ${#secret_two} -ge 32 && $secret_one != "$secret_two" ]] ||
        fail 'the pretend tenant gave no two secrets to copy'
    # grep gets them in files, so that they stand in no argument list of this script's own.
    (umask 077 && printf '%s\n' "$secret_one" >"$work/one" && printf '%s\n' "$secret_two" >"$work/two")
}

# has one|two FILE…: whether a file holds that secret.
has() { LC_ALL=C grep -qFf "$work/$1" "${@:2}"; }

# Looks through every process's arguments and environment for either secret until told to stop, and
# leaves what it found in $work/leaks.
watch_processes() {
    : >"$work/leaks"
    while [[ ! -e $work/enough ]]; do
        grep -lF -f "$work/one" -f "$work/two" /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null >>"$work/leaks" || true
        printf . >>"$work/looked"
        sleep 0.02
    done
}

no_leaks() {
    touch "$work/enough"
    if [[ -s $work/leaks ]]; then
        fail "a secret stood in: $(sort -u "$work/leaks" | tr '\n' ' ')"
        return 1
    fi
    passed "no secret in any process's arguments or environment ($(wc -c <"$work/looked") looks)"
}

# For systems whose own Node.js is older than the SDK takes (Debian 12).
node_version=22.23.3

takes_sdk() {
    "$1" -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'
}

# node_sdk FILE: installs the SDK for Node.js of tests/sdks/, with FILE, into $work/node, which must be there; the path of
# what is to run it is then in $work/node/program.
node_sdk() {
    cp "$root"/tests/sdks/package{,-lock}.json "$1" "$work/node"
    cd "$work/node"
    npm ci --ignore-scripts --no-audit --no-fund
    command -v node >program
    takes_sdk node && return
    local package
    package=node-linux-$(node -p process.arch)
    npm install --no-save --no-package-lock --ignore-scripts --no-audit --no-fund "$package@$node_version"
    printf '%s' "$work/node/node_modules/$package/bin/node" >program
    takes_sdk "$(cat program)"
}

#!/usr/bin/env bash
# The samples of docs/fallback.md as apps of the pretend tenant: each is run with the right secret first, with the right one as its
# fallback only, with neither, and through two rollovers while it runs. `tests/fallback.sh node python` runs some of them.
#
# Needs cargo (or ROLLOVER=path of the program, for all but the sample in Rust), and Debian's apt-get for what is missing. Go is
# large: where it cannot be installed, its sample is not run, which is said at the end.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

samples=("$@")
(($# > 0)) || samples=(node python go rust)
not_run=()
umask 077

# build SAMPLE: sets `app`, the command that runs it.
build() {
    case $1 in
    node)
        need node nodejs
        app=(node "$root/docs/fallback/client.mjs")
        ;;
    python)
        need python3 python3
        app=(python3 -I "$root/docs/fallback/client.py")
        ;;
    go)
        need go golang-go || return
        env GOCACHE="$work/go-cache" GO111MODULE=off go build -o "$work/client-go" "$root/docs/fallback/client.go"
        app=("$work/client-go")
        ;;
    rust)
        (cd "$root" && cargo build --quiet --example fallback)
        app=("${CARGO_TARGET_DIR:-$root/target}/debug/examples/fallback")
        ;;
    *) fail "no such sample: $1" ;;
    esac
}

# start SAMPLE_COMMAND…: with nothing in its environment that could help it.
start() {
    exec env -u AUTH0_CLIENT_SECRET -u AUTH0_API_TOKEN NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 SECRETS_FILE="$work/secrets.json" \
        AUTH0_ISSUER_BASE_URL="$url" AUTH0_CLIENT_ID="$client_id" AUTH0_AUDIENCE="$url/api/v2/" "$@"
}

# A new secret, of the shape that a rollover chooses.
secret() { head -c 48 /dev/urandom | base64 -w 0 | tr '+/' '_-'; }

# holds FIRST FALLBACK: what the app's file holds from now on. printf is the shell's own: no other process sees it.
holds() {
    printf '{"AUTH0_CLIENT_SECRET":"%s","AUTH0_CLIENT_SECRET_FALLBACK":"%s"}\n' "$1" "$2" >"$work/secrets.new"
    mv "$work/secrets.new" "$work/secrets.json"
}

# cut_over SECRET: makes it the live one.
cut_over() {
    printf '{"client_secret":"%s"}' "$1" >"$work/body"
    curl -sf -X PATCH -H "@$work/authorization" -H 'content-type: application/json' -d "@$work/body" -o /dev/null \
        "$url/api/v2/clients/$client_id"
    live=$1
}

# How often a secret was refused so far.
refused() {
    curl -sf -H "@$work/authorization" "$url/api/v2/logs?per_page=100&q=type:feccft" | jq length
}

# ends CODE TEXT TOKENS REFUSED LINES: runs the app with so many lines on its stdin; how it ends, what it says, how many tokens it
# gets, and how many secrets are refused on the way.
ends() {
    local code=0 before
    before=$(refused)
    (start "${app[@]}") < <(head -c "$5" /dev/zero | tr '\0' '\n') >"$work/out" 2>"$work/err" || code=$?
    [[ $code == "$1" ]] || { cat "$work/err" >&2; fail "$sample ended with $code, not $1"; }
    grep -qF "$2" "$work/out" "$work/err" || { cat "$work/err" >&2; fail "$sample did not say: $2"; }
    [[ $(grep -c '^got a token$' "$work/out" || true) == "$3" ]] || fail "$sample got another number of tokens than $3"
    [[ $(($(refused) - before)) == "$4" ]] || fail "$sample had $(($(refused) - before)) secrets refused, not $4"
    ! grep -qFe "$live" -e "$wrong" "$work/out" "$work/err" || fail "$sample prints a secret"
}

# works WHEN: whether `target check` says that the file holds the live secret. What else is in it was not chosen by a rollover that is
# in the ledger, so it is called another one, and the exit code says so.
works() {
    "$rollover" target check "$client_id" --json >"$work/check" 2>"$work/check.err" || true
    jq -e '.[0] | .current == "current" or .fallback == "current"' "$work/check" >"$work/judged" ||
        { cat "$work/check" "$work/check.err" >&2; fail "the target does not hold the live secret $1"; }
}

# again WHAT: asks the running app for one more token.
again() {
    echo >&"$input"
    gets "$1"
}

gets() {
    local line=
    read -r -t 20 -u "${running[0]}" line || true
    [[ $line == 'got a token' ]] || { cat "$work/err" >&2; fail "$sample got no token $1"; }
}

# Two rollovers while the app runs. It reads its file at its start, and again only when both secrets are refused.
through_two_rollovers() {
    local first=$live second third pid input
    second=$(secret) third=$(secret)
    holds "$first" "$second"
    coproc running { start "${app[@]}" 2>"$work/err"; }
    # shellcheck disable=SC2154
    pid=$running_PID input=${running[1]}
    children+=("$pid")
    gets 'once the pending secret was delivered'
    works 'before the cutover'
    cut_over "$second"
    works 'after the cutover'
    again 'after the cutover'
    holds "$second" "$first"
    again 'after the new one was promoted'
    holds "$second" "$third"
    cut_over "$third"
    works 'after the second cutover'
    again 'after the second cutover: what was delivered before it came after the last reading'
    holds "$third" ''
    works 'once the old one is retired'
    again 'once the old one is retired'
    exec {input}>&-
    wait "$pid" || fail "$sample did not end well"
}

need curl curl
need jq jq
program
mkdir "$work/home"
export ROLLOVER_HOME=$work/home
"$rollover" sim --propagation 0 >"$work/sim.out" 2>"$work/sim.err" &
children+=("$!")
within 20 test -s "$work/sim.out" || { cat "$work/sim.err" >&2; fail 'the pretend tenant did not start'; }
url=$(head -n 1 "$work/sim.out" | jq -r .url)
client_id=$(head -n 1 "$work/sim.out" | jq -r .client_id)
live=$(head -n 1 "$work/sim.out" | jq -r .client_secret)
head -n 1 "$work/sim.out" | jq -r '"Authorization: Bearer " + .token' >"$work/authorization"
AUTH0_DOMAIN=$url AUTH0_API_TOKEN=$(head -n 1 "$work/sim.out" | jq -r .token)
export AUTH0_DOMAIN AUTH0_API_TOKEN
wrong=$(secret)
holds "$live" ''
"$rollover" target add "$client_id" --name app --file "$work/secrets.json" 2>"$work/err" ||
    { cat "$work/err" >&2; fail 'the target was not added'; }

for sample in "${samples[@]}"; do
    if ! build "$sample"; then
        [[ $sample == go ]] || fail "$sample could not be made ready"
        not_run+=("$sample")
        continue
    fi
    holds "$live" "$wrong"
    ends 0 'got a token' 2 0 1
    holds "$wrong" "$live"
    # The second token costs no refused try: the one that worked is remembered.
    ends 0 'got a token' 2 1 1
    holds "$live" ''
    ends 0 'got a token' 1 0 0
    # An empty fallback is none, and what was refused once is not tried again when the file still says the same.
    holds "$wrong" ''
    ends 1 'Auth0 accepts no secret in' 0 1 0
    holds "$wrong" "x$wrong"
    ends 1 'Auth0 accepts no secret in' 0 2 0
    through_two_rollovers
    passed "$sample: right secret first, as the fallback only, and not at all; two rollovers while it runs"
done

if ((${#not_run[@]} > 0)); then
    printf '\nNOT RUN: the sample for %s, which apt-get could not install; nothing is known of it\n\n' "${not_run[*]}" >&2
fi

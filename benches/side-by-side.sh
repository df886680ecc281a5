#!/usr/bin/env bash
# rollover beside its peers, in one go: in the terminal beside fzf (benches/terminal.rs), against a pretend tenant on
# loopback beside Auth0's SDK for Node.js and curl, and under a rate limit beside the time that the limit itself allows.
# Prints a table with a goal for each figure; a goal that is missed fails nothing. Only the ratios count: the programs
# take turns within each of ROUNDS rounds (5), and medians are compared. Within six minutes once all is built; to be run
# on a machine that does nothing else. What came of it stands in benches/RESULTS.md.
#
# Needs cargo (or ROLLOVER=path of the program), and Debian's apt-get, npm and pip for what is missing. fzf is the one of
# FZF=path, else the one that PyPI's `iterfzf` carries: Debian's is old. What is not Debian's goes to a temporary folder
# and with it.
set -euo pipefail
# shellcheck source=../tests/common.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/common.bash"

rounds=${ROUNDS:-5}
iterfzf_version=1.9.0.67.0
# What rollover asks of a list (src/auth0/sight.rs).
fields=client_id,name,app_type,is_first_party,token_endpoint_auth_method,global,client_authentication_methods

need hyperfine hyperfine
need curl curl
need jq jq
need node nodejs
need npm npm
need /usr/bin/time time
export ROLLOVER_HOME=$work/home
mkdir -m 700 "$work/home"
# The key of the ledger: there is neither a keyring nor a person here.
need age-keygen age
(umask 077 && age-keygen -o "$work/identity.txt" 2>/dev/null)
export ROLLOVER_IDENTITY_FILE=$work/identity.txt
mkdir "$work/node" "$work/samples"

install_fzf() {
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --disable-pip-version-check --quiet "iterfzf==$iterfzf_version"
}

(node_sdk "$root/benches/side-by-side.mjs") >"$work/npm.log" 2>&1 || { cat "$work/npm.log" >&2; fail 'the SDK for Node.js could not be installed'; }
node=$(cat "$work/node/program")
if [[ -z ${FZF:-} ]]; then
    need python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || need ensurepip python3-venv
    install_fzf >"$work/pip.log" 2>&1 || { cat "$work/pip.log" >&2; fail 'fzf could not be installed'; }
    FZF=$(echo "$work"/venv/lib/python3*/site-packages/iterfzf/fzf)
fi
export FZF
if [[ -z ${ROLLOVER:-} ]]; then
    (cd "$root" && cargo build --quiet --release)
    ROLLOVER=${CARGO_TARGET_DIR:-$root/target}/release/rollover
fi
program
export ROLLOVER=$rollover
(cd "$root" && cargo bench --quiet --bench terminal --no-run)
# Nobody else reads the tokens of the pretend tenants.
umask 077

# tenant_of NAME ARGUMENT…: starts a pretend tenant, and points rollover, the SDK and curl to it.
tenant_of() {
    "$rollover" sim "${@:2}" >"$work/$1.json" 2>"$work/$1.err" &
    children+=("$!")
    within 20 grep -qs '}$' "$work/$1.json" || { cat "$work/$1.err" >&2; fail 'a pretend tenant did not start'; }
    AUTH0_DOMAIN=$(head -n 1 "$work/$1.json" | jq -r .url)
    AUTH0_API_TOKEN=$(head -n 1 "$work/$1.json" | jq -r .token)
    export AUTH0_DOMAIN AUTH0_API_TOKEN
    printf 'Authorization: Bearer %s' "$AUTH0_API_TOKEN" >"$work/authorization"
}

# timed NAME COMMAND: one run of a whole process; its milliseconds are one more sample.
timed() {
    hyperfine -N --style none --runs 1 --export-json "$work/run.json" "$2" >"$work/run.log" 2>&1 ||
        { cat "$work/run.log" >&2; fail "$2"; }
    jq '.results[0].times[0] * 1000' "$work/run.json" >>"$work/samples/$1"
}

# peak NAME COMMAND…: one run of a whole process; its largest resident set, MB, is one more sample.
peak() {
    /usr/bin/time -f %M -o "$work/kilobytes" "${@:2}" >/dev/null 2>"$work/run.log" ||
        { cat "$work/run.log" >&2; fail "${*:2}"; }
    tail -n 1 "$work/kilobytes" | jq '. / 1024' >>"$work/samples/$1"
}

median() { jq -s 'sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2' "$work/samples/$1"; }

# row FIGURE OURS PEER THEIRS GOAL: one line of the table, as benches/terminal.rs prints them.
row() {
    jq -rn --arg figure "$1" --argjson ours "$2" --arg peer "$3" --argjson theirs "$4" --argjson goal "$5" '
        def right($width): tostring | " " * ([$width - length, 0] | max) + .;
        def left($width): . + " " * ([$width - length, 0] | max);
        def two: . * 100 | round | tostring | if length < 3 then "0" * (3 - length) + . else . end
            | .[:-2] + "." + .[-2:];
        ($figure | left(46)) + " " + ($ours | two | right(9)) + " "
        + if $goal == 0 then
            ("-" | right(9)) + " " + ("" | left(5)) + " " + ("-" | right(6)) + " " + ("0" | right(7)) + "  "
            + if $ours == 0 then "yes" else "NO" end
        else
            ($theirs | two | right(9)) + " " + ($peer | left(5)) + " " + ($ours / $theirs | two | right(6)) + " "
            + ("<= \($goal)" | right(7)) + "  " + if $ours / $theirs <= $goal then "yes" else "NO" end
        end'
}

cat <<EOF
$(date -u '+%Y-%m-%d %H:%M UTC'), $(nproc) x $(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo), $(uname -sr), load $(cut -d ' ' -f 1 /proc/loadavg)
$("$rollover" --version) of $(git -C "$root" rev-parse --short HEAD), fzf $("$FZF" --version), Node.js $("$node" -p process.version) with auth0 $(jq -r .version "$work/node/node_modules/auth0/package.json"), $(curl --version | cut -d ' ' -f 1,2 | head -n 1)

EOF

(cd "$root" && cargo bench --quiet --bench terminal -- "$rounds")

# All pages of ten thousand clients.
tenant_of large --clients 10000 --seed 7
sdk="$node $work/node/side-by-side.mjs"
[[ $("$rollover" list --json | jq length) == 10000 && $($sdk list | jq length) == 10000 ]] || fail 'a list is not whole'
for ((round = 0; round < rounds; round++)); do
    timed list-ours "$rollover list --json"
    timed list-full "$sdk list"
    timed list-fields "$sdk list $fields"
    peak list-ours-peak "$rollover" list --json
    # shellcheck disable=SC2086
    peak list-full-peak $sdk list
    # shellcheck disable=SC2086
    peak list-fields-peak $sdk list $fields
done
row 'list 10,000 clients, ms' "$(median list-ours)" node "$(median list-full)" 0.08
row 'the same, the SDK asks for as few fields, ms' "$(median list-ours)" node "$(median list-fields)" 0.08
row 'list 10,000 clients, peak MB' "$(median list-ours-peak)" node "$(median list-full-peak)" 0.1
row 'the same, the SDK asks for as few fields, MB' "$(median list-ours-peak)" node "$(median list-fields-peak)" 0.1

# One rotation, with its reads before and its verification after, beside the bare request.
tenant_of rotations --clients 2000 --seed 7 --propagation 0
mapfile -t ids < <("$rollover" list --json |
    jq -r '[.[] | select(.token_endpoint_auth_method == "client_secret_post").client_id][:200][]')
((${#ids[@]} == 200)) || fail 'there are too few clients to rotate'
for ((round = 0; round < 4 * rounds; round++)); do
    timed rotate-ours "$rollover rotate ${ids[round]} --now --yes"
    timed rotate-curl "curl -sf -o /dev/null -X POST -H @$work/authorization $AUTH0_DOMAIN/api/v2/clients/${ids[round]}/rotate-secret"
done
row 'rotate one, verified; curl: the POST alone, ms' "$(median rotate-ours)" curl "$(median rotate-curl)" 3
for ((round = 0; round < rounds; round++)); do
    timed many-ours "$rollover rotate ${ids[*]} --now --yes"
    timed many-node "$sdk rotate ${ids[*]}"
done
row 'rotate 200, verified; node: POSTs alone, ms' "$(median many-ours)" node "$(median many-node)" 0.05

# Ten pages, of which two may go at once and the rest two a second.
refused=0
for ((round = 0; round < 3; round++)); do
    tenant_of "limited-$round" --clients 1000 --seed 7 --plan free
    timed limited "$rollover list --json"
    # The log is read through the same limit.
    sleep 2
    seen=$(curl -sf -G -H "@$work/authorization" "$AUTH0_DOMAIN/api/v2/logs" --data-urlencode 'q=type:api_limit' | jq length)
    refused=$((refused + seen))
done
row 'list 1,000 clients, two requests a second, ms' "$(median limited)" limit 4000 1.05
row 'requests refused by the limit meanwhile (429)' "$refused" '' 0 0

#!/usr/bin/env bash
# Auth0's own SDKs as judges of the pretend tenant (src/sim): it must do what they expect of Auth0, or the tests that
# run against it prove little. Those for Node.js and Python sign in with secret and key, page through clients in every
# way there is, change and rotate secrets, read the log, and run into a rate limit, over https; both at once, within a
# quarter of a minute once they are installed. `tests/sdks.sh node` or `tests/sdks.sh python` asks one of them.
#
# Needs cargo (or ROLLOVER=path of the program), and Debian's apt-get, npm and pip for what is missing. The SDKs, of the
# versions in tests/sdks/, go to a temporary folder and with it.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# How long the pretend tenant goes on taking an old secret; the judges hold it to that.
propagation=1
sdks=("$@")
(($# > 0)) || sdks=(node python)

install_node() { node_sdk "$root/tests/sdks/judge.mjs"; }

install_python() {
    python3 -m venv "$work/python/venv"
    "$work/python/venv/bin/pip" install --disable-pip-version-check --quiet -r "$root/tests/sdks/requirements.txt"
}

# tenants FOLDER: starts a judge's two tenants.
tenants() {
    local plan
    for plan in unlimited free; do
        "$rollover" sim --tls --propagation "$propagation" --plan "$plan" >"$1/$plan" 2>"$1/$plan.err" &
        children+=("$!")
    done
    for plan in unlimited free; do
        within 20 grep -qs '}$' "$1/$plan" || { cat "$1/$plan.err" >&2; fail 'a pretend tenant did not start'; }
        sed -n '1s/.*"ca_file":"\([^"]*\)".*/\1/p' "$1/$plan" | xargs cat >>"$1/authorities.pem"
    done
    cat "$1/unlimited" "$1/free" >"$1/tenants"
}

# judge FOLDER COMMAND…: it is told of its tenants on stdin, so that tokens and secrets stand in no argument and no
# environment. Python has two ways to ask, each with a variable of its own for the authorities.
judge() {
    exec env -u NODE_OPTIONS -u SSL_CERT_DIR NO_PROXY=localhost no_proxy=localhost \
        NODE_EXTRA_CA_CERTS="$1/authorities.pem" SSL_CERT_FILE="$1/authorities.pem" \
        REQUESTS_CA_BUNDLE="$1/authorities.pem" "${@:2}" "$root/assets" "$propagation" <"$1/tenants"
}

for sdk in "${sdks[@]}"; do
    case $sdk in
    node)
        need node nodejs
        need npm npm
        ;;
    python)
        need python3 python3
        python3 -c 'import ensurepip' 2>/dev/null || need ensurepip python3-venv
        ;;
    *) fail "no such SDK: $sdk" ;;
    esac
    mkdir "$work/$sdk"
done
# Nobody else reads what the pretend tenants tell the judges.
umask 077

# Both come while the program is built.
installing=()
for sdk in "${sdks[@]}"; do
    ("install_$sdk") >"$work/$sdk/install.log" 2>&1 &
    installing+=("$!")
    children+=("$!")
done
program
for index in "${!sdks[@]}"; do
    sdk=${sdks[index]}
    wait "${installing[index]}" || { cat "$work/$sdk/install.log" >&2; fail "the SDK for $sdk could not be installed"; }
done

judging=()
for sdk in "${sdks[@]}"; do
    case $sdk in
    node) command=("$(cat "$work/node/program")" "$work/node/judge.mjs") ;;
    python) command=("$work/python/venv/bin/python" -I "$root/tests/sdks/judge.py") ;;
    esac
    tenants "$work/$sdk"
    judge "$work/$sdk" "${command[@]}" &
    judging+=("$!")
    children+=("$!")
done
failures=0
for pid in "${judging[@]}"; do wait "$pid" || failures=$((failures + 1)); done
((failures == 0)) || fail "$failures of ${#sdks[@]} SDKs found fault with the pretend tenant"

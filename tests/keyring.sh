#!/usr/bin/env bash
# The keyring (src/tenants/keyring) against a real Secret Service, gnome-keyring: what is stored is there for other programs,
# is replaced and removed; what auth0-cli stores is found; and a keyring that is locked, silent, dying or not there is an error
# that says so, and no hang. The cases are the tests of tests/keyring_store.rs, and one of the program itself, each on a session
# bus and in a home of its own: nothing of the user's own keyring is touched. All run at once, in half a minute.
# `tests/keyring.sh locked` runs that one.
#
# Needs cargo and Debian's apt-get for what is missing.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS GNOME_KEYRING_CONTROL
need dbus-daemon dbus-daemon
need dbus-send dbus-bin
need gnome-keyring-daemon gnome-keyring
need secret-tool libsecret-tools
need jq jq

# The tests as a program: below, neither cargo nor rustup finds its home.
(cd "$root" && cargo test --quiet --no-run --message-format=json --test keyring_store) >"$work/built"
tests=$(jq -r 'select(.executable != null and .target.name == "keyring_store") | .executable' "$work/built")
[[ -x $tests ]] || fail 'the tests were not built'

# A bus that starts nothing by itself.
cat >"$work/bare.conf" <<CONF
<busconfig>
  <type>session</type>
  <listen>unix:dir=$work</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
CONF
# One that can start the keyring, which then fails.
mkdir "$work/services"
printf '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/false\n' >"$work/services/broken.service"
sed "s|<listen>|<servicedir>$work/services</servicedir>&|" "$work/bare.conf" >"$work/broken.conf"

# A home of this case's own.
home() {
    place=$work/$name
    mkdir -p "$place"/home/.{cache,config,local/share}
    mkdir -m 700 "$place/runtime"
    export HOME=$place/home XDG_RUNTIME_DIR=$place/runtime ROLLOVER_KEYRING_TEST=$place/home
    export XDG_CACHE_HOME=$HOME/.cache XDG_CONFIG_HOME=$HOME/.config XDG_DATA_HOME=$HOME/.local/share
    started=()
    trap 'kill -KILL "${started[@]}" 2>/dev/null || true' EXIT
}

# bus [ARGUMENT]: a bus of this case's own; without an argument, one that starts nothing by itself.
bus() {
    home
    dbus-daemon "${1:---config-file=$work/bare.conf}" --nofork --print-address=3 3>"$place/address" 2>"$place/bus.log" &
    bus=$!
    started+=("$bus")
    within 20 test -s "$place/address" || { cat "$place/bus.log" >&2; fail 'the bus did not start'; }
    DBUS_SESSION_BUS_ADDRESS=$(cat "$place/address")
    export DBUS_SESSION_BUS_ADDRESS ROLLOVER_KEYRING_BUS=$bus
}

there() {
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
        string:org.freedesktop.secrets 2>/dev/null | grep -q 'boolean true'
}

# keyring [--unlock]: gnome-keyring on this case's bus, with a collection "login" where it is unlocked.
keyring() {
    printf 'pw' >"$place/password"
    gnome-keyring-daemon "$@" --foreground --components=secrets <"$place/password" >"$place/keyring.log" 2>&1 &
    keyring=$!
    started+=("$keyring")
    within 20 there || { cat "$place/keyring.log" >&2; fail 'gnome-keyring did not start'; }
}

# judge TEST: runs that test, which must be there.
judge() {
    timeout 100 "$tests" --ignored --exact "$1" >"$place/$1.log" 2>&1 || { cat "$place/$1.log" >&2; fail "$1"; }
    grep -q '^test result: ok. 1 passed' "$place/$1.log" || fail "there is no test $1"
}

case_many_threads() {
    bus
    keyring --unlock
    judge stored_replaced_and_deleted_on_many_threads
    passed 'stored, found by secret-tool, replaced by one, removed: on many threads'
}

case_one_thread() {
    bus
    keyring --unlock
    judge stored_replaced_and_deleted_on_one_thread
    passed 'stored, found by secret-tool, replaced by one, removed: on one thread'
}

case_locked() {
    # The usual bus: it can start the program that asks the person, and that finds no display.
    bus --session
    keyring --unlock
    judge a_locked_keyring_is_told_without_asking
    passed 'a locked keyring is told of without a question, and is an error where nobody answers one'
}

case_asked() {
    bus
    judge unlocked_by_the_person
    judge not_unlocked_by_the_person
    judge the_newest_of_several
    passed 'the question whether to unlock is asked, and its answer holds'
}

case_doctor() {
    bus
    judge the_doctor_asks_nobody_to_unlock_it
    keyring --unlock
    kill -STOP "$keyring"
    judge the_doctor_does_not_wait_for_one_that_says_nothing
    passed 'the doctor tells of a locked keyring and of a silent one, and asks nobody'
}

case_no_service() {
    bus
    judge no_service
    passed 'no keyring on the bus is told'
}

case_broken_service() {
    bus "--config-file=$work/broken.conf"
    judge service_that_does_not_start
    passed 'a keyring that does not start is told'
}

case_no_collection() {
    bus
    keyring
    judge no_default_collection
    passed 'a keyring without a collection is told'
}

case_no_bus() {
    home
    judge no_bus
    DBUS_SESSION_BUS_ADDRESS='unix:path=/nowhere/bus' judge no_bus
    DBUS_SESSION_BUS_ADDRESS='nonsense' judge bad_address
    DBUS_SESSION_BUS_ADDRESS='disabled:' judge bad_address
    passed 'no bus, and an address that is none, are told'
}

case_dead_bus() {
    bus
    kill -KILL "$bus"
    { wait "$bus" || true; } 2>/dev/null
    judge dead_bus
    passed 'a bus that has died is told'
}

case_silent_bus() {
    bus
    kill -STOP "$bus"
    judge bus_that_says_nothing
    passed 'a bus that says nothing is not waited for'
}

case_silent_service() {
    bus
    keyring --unlock
    kill -STOP "$keyring"
    judge service_that_says_nothing
    passed 'a keyring that says nothing is not waited for'
}

case_dying() {
    bus
    keyring --unlock
    kill -STOP "$keyring"
    judge bus_that_ends_in_the_middle
    passed 'a bus that ends in the middle is told'
}

case_denying() {
    bus
    judge a_service_that_denies_or_dies
    passed 'a keyring that denies, or dies in the middle, is told'
}

case_no_text() {
    bus
    keyring --unlock
    judge what_is_no_text_is_an_error
    passed 'what is no text is an error'
}

case_auth0_cli() {
    bus --session
    keyring --unlock
    judge the_token_of_auth0_cli
    passed "auth0-cli's token is read in its parts, else from its file, and nothing of it is written"
}

# items: how many entries of rollover's the keyring holds.
items() { secret-tool search --all service rollover 2>&1 | grep -c '^attribute.service = rollover$' || true; }

# kept: the secret of the tenant's own client, by another program than the one under test.
kept() { secret-tool lookup service rollover username "client-secret $url/ $client_id" | jq -r .secret; }

# live: the same, as the tenant has it.
live() {
    curl -sf -H "@$work/authorization" "$url/api/v2/clients/$client_id?fields=client_secret" | jq -r .client_secret
}

# The program itself: it signs in, with nothing in a file, and rotates the very client that it signs in with.
case_program() {
    local url=$AUTH0_DOMAIN client_id old listed
    client_id=$(head -n 1 "$work/sim.out" | jq -r .client_id)
    # Nothing of the tenant is in the environment: what is found is what was stored.
    unset AUTH0_DOMAIN AUTH0_API_TOKEN ROLLOVER_IDENTITY_FILE
    bus
    keyring --unlock
    export ROLLOVER_HOME=$place/rollover
    old=$(live)
    head -n 1 "$work/sim.out" | jq -r .client_secret |
        "$rollover" login --domain "$url" --client-id "$client_id" --kept-in keyring || fail 'login'
    [[ $(items) == 1 && $(kept) == "$old" ]] || fail "the keyring holds $(items) entries, or another secret"
    listed=$("$rollover" list | wc -l)
    ((listed > 20)) || fail "$listed clients are listed"
    "$rollover" rotate "$client_id" --now --yes --json >"$place/rotated" || fail 'rotating'
    [[ $(jq -r '.[0].steps[] | select(.step == "keep") | .outcome' "$place/rotated") == 'done' ]] ||
        fail 'nothing was stored'
    # Beside the credential there is the key of the ledger, which the rotation was recorded in.
    [[ $(live) != "$old" && $(kept) == "$(live)" && $(items) == 2 ]] || fail 'the keyring does not hold the new secret'
    secret-tool lookup service rollover username 'ledger identity' | grep -q '^AGE-SECRET-KEY-1' || fail 'the ledger has no key'
    "$rollover" ledger recipients | grep -q 'the key in the keyring' || fail 'the ledger is sealed for another key'
    "$rollover" exec "$client_id" -- printenv AUTH0_CLIENT_SECRET >"$place/opened" || fail 'opening what is sealed'
    [[ $(cat "$place/opened") == "$(live)" ]] || fail 'what is sealed is another secret'
    rm "$place/opened"
    # Long enough for the old secret to be dead: verifying has waited for it.
    [[ $(jq -r '.[0].steps[] | select(.step == "verify") | .outcome' "$place/rotated") == 'done' ]] || fail 'verifying'
    "$rollover" list >"$place/listed" || fail 'listing with the new secret'
    (($(wc -l <"$place/listed") == listed)) || fail 'other clients are listed'
    (umask 077 && { printf '%s\n' "$old" && live; } >"$place/secrets")
    ! grep -rqFf "$place/secrets" "$place/rollover" "$place/rotated" "$place/listed" || fail 'a secret is in a file'
    "$rollover" logout 2>"$place/logout" || fail 'logout'
    [[ $(items) == 1 ]] || fail "$(items) entries are left: the ledger's key stays, and nothing else"
    if "$rollover" list 2>"$place/refused"; then fail 'signed in without a credential'; fi
    grep -q 'client secret for' "$place/refused" || { cat "$place/refused" >&2; fail 'the wrong reason'; }
    passed 'the program stores its credential, replaces it when it rotates itself, and forgets it'
}

cases=() names=("$@")
(($# > 0)) || mapfile -t names < <(compgen -A function case_ | sed 's/^case_//')
# The program is built here too, with the pretend tenant that it is to sign in to.
if [[ " ${names[*]} " == *' program '* ]]; then
    program
    tenant
    # The tenant's own home is no case's.
    unset ROLLOVER_HOME
fi
for name in "${names[@]}"; do
    ("case_$name") &
    cases+=("$!")
done
failures=0
for pid in "${cases[@]}"; do wait "$pid" || failures=$((failures + 1)); done
((failures == 0)) || fail "$failures of the cases"

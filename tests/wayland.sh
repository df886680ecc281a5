#!/usr/bin/env bash
# The clipboard under a real Wayland compositor (sway, headless): what tests/clipboard.sh asks of X11,
# in short. About a minute.
#
# Needs cargo (or ROLLOVER=path of the program) and Debian's apt-get for what is missing.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

unset SSH_CONNECTION SSH_TTY WAYLAND_DISPLAY TMUX STY DISPLAY
need sway sway
need wl-paste wl-clipboard
need setpriv util-linux
program
tenant
watch_processes &
children+=("$!")

# sway refuses to run as root; everything on its display is then run as its user.
as=()
mkdir -m 700 "$work/runtime" "$work/runtime/home"
if ((EUID == 0)); then
    as=(setpriv --reuid=54321 --regid=54321 --clear-groups)
    chown -R 54321:54321 "$work/runtime"
fi
export XDG_RUNTIME_DIR=$work/runtime HOME=$work/runtime/home ROLLOVER_HOME=$work/runtime/home
cd "$work/runtime"
printf 'xwayland disable\n' >"$work/sway.conf"
env WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman \
    "${as[@]}" sway -c "$work/sway.conf" >"$work/sway.log" 2>&1 &
sway=$!
children+=("$sway")
socket() { compgen -G "$work/runtime/wayland-*[0-9]" >"$work/socket"; }
within 20 socket || { cat "$work/sway.log" >&2; fail 'sway did not start'; }
WAYLAND_DISPLAY=$(basename "$(head -n 1 "$work/socket")")
export WAYLAND_DISPLAY

held() { timeout 5 "${as[@]}" wl-paste --no-newline 2>/dev/null || true; }
holds() { [[ $(held) == "$1" ]]; }
is_empty() { [[ -z $(held) ]]; }
copy() {
    "${as[@]}" "$work/rollover" copy "$1" >>"$work/shown" 2>&1 || { cat "$work/shown" >&2; fail 'rollover copy failed'; }
    # The helpers' note to each other: src/clipboard/turn.rs.
    helpers+=("$(cut -d - -f 1 "$work/runtime/rollover-clipboard${WAYLAND_DISPLAY//[^A-Za-z0-9]/_}")")
}
helpers=()
no_helpers() {
    local helper
    for helper in "${helpers[@]}"; do ! kill -0 "$helper" 2>/dev/null || return 1; done
}
cleared() {
    within $((45 - (SECONDS - $1))) is_empty || fail 'it was not cleared after 45 s'
    ((SECONDS - $1 >= 25)) || fail "it was cleared after $((SECONDS - $1)) s already"
    within 15 no_helpers || fail 'a helper stayed'
}

copy "$client_one"
holds "$secret_one" || fail 'the clipboard does not hold the secret when the program has ended'
passed 'set, and outlives the program'
"${as[@]}" wl-paste --list-types >"$work/offered"
grep -qx 'x-kde-passwordManagerHint' "$work/offered" || fail "no hint among: $(tr '\n' ' ' <"$work/offered")"
passed 'marked for clipboard histories to leave out'

printf 'something else' | "${as[@]}" wl-copy
within 15 no_helpers || fail 'the helper stayed after another program took the clipboard'
holds 'something else' || fail 'what another program copied is gone'

copy "$client_one"
copy "$client_two"
since=$SECONDS
holds "$secret_two" || fail 'the second copy did not replace the first'
passed 'a second copy replaces the first'
cleared "$since"
passed 'cleared after 30 s'

copy "$client_two"
printf 'yet another' | "${as[@]}" wl-copy
foreign=$SECONDS
while ((SECONDS - foreign < 34)); do
    holds 'yet another' || fail "what another program copied became: $(held)"
    sleep 1
done
passed 'what another program copies is left alone'

if has one "$work/shown" || has two "$work/shown"; then fail 'a secret was printed'; fi
no_leaks

#!/usr/bin/env bash
# The clipboard under a real X server (Xvfb): a copied secret is there, is marked for clipboard
# histories to leave out, outlives the program and its terminal, is cleared after 30 seconds, and only
# if the clipboard still holds it. Every case has a display of its own, and all run at once: about a
# minute in all. `tests/clipboard.sh foreign history` runs those two cases.
#
# Needs cargo (or ROLLOVER=path of the program) and Debian's apt-get for what is missing.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

unset SSH_CONNECTION SSH_TTY WAYLAND_DISPLAY TMUX STY DISPLAY
need Xvfb xvfb
need xclip xclip
need tmux tmux
need strace strace
need setpriv util-linux
program
tenant
export XDG_RUNTIME_DIR=$work/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"

# A display of this case's own; Xvfb chooses a free number. Without -noreset it would start afresh, and
# turn clients away meanwhile, whenever its last client leaves.
display() {
    local number=$work/display-$BASHPID
    Xvfb -displayfd 3 -noreset -screen 0 320x240x8 3>"$number" >/dev/null 2>&1 &
    xvfb=$!
    trap 'kill "$xvfb" 2>/dev/null || true' EXIT
    within 20 test -s "$number" || fail 'Xvfb did not start'
    DISPLAY=:$(cat "$number")
    export DISPLAY
}

held() { timeout 5 xclip -o -selection clipboard 2>/dev/null || true; }
holds() { [[ $(held) == "$1" ]]; }
is_empty() { [[ -z $(held) ]]; }
targets() { timeout 5 xclip -o -selection clipboard -t TARGETS 2>/dev/null || true; }

# copy CLIENT: and notes the helper, whose number stands in the note that the helpers leave for each
# other (src/clipboard/turn.rs).
copy() {
    "$rollover" copy "$1" >"$work/shown-$name-$case_pid" 2>&1 ||
        fail "rollover copy: $(tail -n 1 "$work/shown-$name-$case_pid")"
    helper=$(cut -d - -f 1 "$XDG_RUNTIME_DIR/rollover-clipboard_${DISPLAY#:}")
    [[ $(tr '\0' ' ' <"/proc/$helper/cmdline") == *clipboard-helper* ]] || fail 'no helper'
    helpers+=("$helper")
}
helpers=()
no_helpers() {
    local helper
    for helper in "${helpers[@]}"; do ! kill -0 "$helper" 2>/dev/null || return 1; done
}

# cleared SINCE: the clipboard empties between 25 and 45 seconds after SINCE.
cleared() {
    within $((45 - (SECONDS - $1))) is_empty || fail 'it was not cleared after 45 s'
    ((SECONDS - $1 >= 25)) || fail "it was cleared after $((SECONDS - $1)) s already"
    within 15 no_helpers || fail 'a helper stayed'
}

case_set_and_cleared() {
    display
    copy "$client_one"
    local since=$SECONDS
    holds "$secret_one" || fail 'the clipboard does not hold the secret when the program has ended'
    passed 'set, and outlives the program'
    targets >"$work/offered"
    grep -qx 'x-kde-passwordManagerHint' "$work/offered" || fail "no hint among: $(tr '\n' ' ' <"$work/offered")"
    [[ $(xclip -o -selection clipboard -t x-kde-passwordManagerHint) == secret ]] || fail 'the hint does not say "secret"'
    passed 'marked for clipboard histories to leave out'
    grep -Eq '^Max core file size +0 +0 ' "/proc/$helper/limits" || fail 'the helper can dump core'
    [[ $(ps -o sid= -p "$helper" | tr -d ' ') == "$helper" ]] || fail 'the helper has no session of its own'
    if ((EUID == 0)); then # nobody else may look
        [[ $(readlink "/proc/$helper/cwd") == / ]] || fail 'the helper keeps a folder busy'
        ! tr '\0' '\n' <"/proc/$helper/environ" | grep -q AUTH0 || fail "the helper has the tenant's credentials"
    fi
    passed 'the helper dumps no core, stands alone and knows nothing else'
    cleared "$since"
    passed 'cleared after 30 s'
}

# A clipboard manager that keeps a history, and honours the hint.
manager() {
    local before text after
    while [[ ! -e $work/manager-stop ]]; do
        before=$(targets) text=$(held) after=$(targets)
        if [[ -n $text && $before$after != *x-kde-passwordManagerHint* ]]; then printf '%s\n' "$text" >>"$work/history"; fi
        printf . >>"$work/managed"
        sleep 0.05
    done
}

managed_since() { (($(stat -c %s "$work/managed") >= $1 + 3)); }

case_history() {
    display
    touch "$work/history" "$work/managed"
    manager &
    local manager=$! before
    copy "$client_one"
    before=$(stat -c %s "$work/managed")
    # Two whole looks of the manager at the secret, at least.
    within 20 managed_since "$before" || fail 'the manager does not look'
    printf 'not a secret' | xclip -i -selection clipboard
    within 20 grep -q 'not a secret' "$work/history" || fail 'the history takes nothing at all'
    touch "$work/manager-stop"
    wait "$manager"
    ! has one "$work/history" || fail 'the secret is in the history'
    passed 'a clipboard history leaves it out'
}

case_terminal_killed() {
    display
    local server="$work/tmux-killed"
    tmux -S "$server" -f /dev/null new-session -d "'$rollover' copy '$client_one'; touch '$work/copied'; exec sleep 300"
    within 20 test -e "$work/copied" || fail 'nothing was copied in the terminal'
    local since=$SECONDS
    # The terminal and all that runs in it, at once.
    local doomed
    read -r -a doomed < <(tmux -S "$server" display-message -p '#{pid} #{pane_pid}')
    kill -KILL "${doomed[@]}"
    within 5 bash -c "! kill -0 ${doomed[0]} 2>/dev/null" || fail 'the terminal lives'
    holds "$secret_one" || fail 'the secret went with the terminal'
    cleared "$since"
    passed 'outlives a terminal that is killed, and is cleared'
}

case_foreign() {
    display
    copy "$client_one"
    printf 'something else' | xclip -i -selection clipboard
    local since=$SECONDS
    within 10 no_helpers || fail 'the helper stayed after another program took the clipboard'
    while ((SECONDS - since < 36)); do
        holds 'something else' || fail "what another program copied became: $(held)"
        sleep 1
    done
    passed 'what another program copies is left alone'
}

# A manager that takes the selection over and offers the value on: it is still our value.
case_taken_over() {
    display
    copy "$client_one"
    local since=$SECONDS
    printf %s "$secret_one" | xclip -i -selection clipboard
    within 5 bash -c '! xclip -o -selection clipboard -t TARGETS | grep -q x-kde' || fail 'it was not taken over'
    holds "$secret_one" || fail 'it was cleared at once'
    cleared "$since"
    passed 'a value that a manager took over is cleared too'
}

case_another() {
    display
    copy "$client_one"
    copy "$client_two"
    local since=$SECONDS
    holds "$secret_two" || fail 'the second copy did not replace the first'
    cleared "$since"
    passed 'a second copy replaces the first'
}

case_the_same_again() {
    display
    copy "$client_one"
    local first=$SECONDS
    # The first one's time is to run out within the second one's.
    while ((SECONDS - first < 12)); do sleep 0.2; done
    copy "$client_one"
    local since=$SECONDS
    while ((SECONDS - first < 36)); do
        holds "$secret_one" || fail 'the first copy took the second with it'
        sleep 0.5
    done
    cleared "$since"
    passed 'the same secret copied again has its whole 30 s'
}

case_traced() {
    display
    strace -f -qq -v -s 9999 -e trace=execve -o "$work/trace" "$rollover" copy "$client_one" >"$work/shown-$name-$case_pid" 2>&1 &
    local tracer=$!
    within 20 holds "$secret_one" || fail 'nothing was copied under strace'
    wait "$tracer"
    [[ $(grep -c 'execve(' "$work/trace") -ge 2 ]] || fail 'strace saw no helper start'
    ! has one "$work/trace" || fail 'the secret was passed to execve'
    ! grep 'clipboard-helper' "$work/trace" | grep -q AUTH0 || fail "the helper was given the tenant's credentials"
    passed 'no argument or environment holds it when the helper is started'
}

# Another process of the same user reads neither the helper's memory nor its environment. As root
# there is no such user, so it is tried as one that owns nothing.
case_unreadable() {
    display
    local as=()
    mkdir "$work/nobody"
    if ((EUID == 0)); then
        as=(setpriv --reuid=54321 --regid=54321 --clear-groups)
        chown 54321 "$work/nobody"
    fi
    export XDG_RUNTIME_DIR=$work/nobody ROLLOVER_HOME=$work/nobody
    local rollover=$work/as-user
    printf '#!/bin/sh\nexec %s "$@"\n' "${as[*]} $work/rollover" >"$rollover"
    chmod 755 "$rollover"
    copy "$client_one"
    "${as[@]}" cat "/proc/$helper/cmdline" >/dev/null || fail 'the helper is not there'
    ! "${as[@]}" cat "/proc/$helper/environ" >/dev/null 2>&1 || fail "the helper's environment is readable"
    ! "${as[@]}" head -c 1 "/proc/$helper/mem" 2>"$work/refusal" >/dev/null || fail "the helper's memory is readable"
    grep -q 'Permission denied' "$work/refusal" || fail "not refused, but: $(cat "$work/refusal")"
    passed 'another process of the same user cannot look into the helper'
}

case_no_display() {
    if env -u DISPLAY "$rollover" copy "$client_one" >"$work/shown-$name-$case_pid" 2>&1; then fail 'copying without a display or terminal succeeded'; fi
    if DISPLAY=:7654 "$rollover" copy "$client_one" >"$work/shown-$name-$case_pid" 2>&1; then fail 'copying to a dead display succeeded'; fi
    passed 'a display that is not there is an error'
}

watch_processes &
children+=("$!")
cases=() names=("$@")
(($# > 0)) || mapfile -t names < <(compgen -A function case_ | sed 's/^case_//')
for name in "${names[@]}"; do
    (case_pid=$BASHPID; "case_$name") &
    cases+=("$!")
done
failures=0
for pid in "${cases[@]}"; do wait "$pid" || failures=$((failures + 1)); done
no_leaks || failures=$((failures + 1))
if has one "$work"/shown-* || has two "$work"/shown-*; then
    fail 'a secret was printed' || failures=$((failures + 1))
else
    passed 'nothing of it is printed'
fi
((failures == 0)) || fail "$failures of the cases"

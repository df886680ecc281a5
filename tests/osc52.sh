#!/usr/bin/env bash
# Copying without a display: OSC 52 to a real terminal, to tmux, to GNU screen.
#
# Needs cargo (or ROLLOVER=path of the program) and Debian's apt-get for what is missing.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

unset SSH_CONNECTION SSH_TTY WAYLAND_DISPLAY TMUX STY DISPLAY
need tmux tmux
need screen screen
need script bsdutils
program
tenant
watch_processes &
children+=("$!")

# What a terminal would decode from the OSC 52 sequences in FILE, one a line.
decoded() {
    LC_ALL=C grep -aoP '\x1b\]52;c;[A-Za-z0-9+/=]*(?=\x07|\x1b\\)' "$1" | LC_ALL=C sed 's/.*;//' |
        while read -r encoded; do base64 -d <<<"$encoded"; printf '\n'; done
}

# in_tmux COMMAND: runs it in the pane, and waits for its end; what it printed is in $work/pane.
server=$work/tmux
in_tmux() {
    rm -f "$work/code"
    tmux -S "$server" respawn-pane -k "$1 >'$work/pane.out' 2>'$work/pane'; echo \$? >'$work/code'; exec sleep 300"
    within 20 test -s "$work/code" || fail "it did not end: $1"
}
# OSC 52 goes to stdout, which must be the terminal itself.
in_tmux_terminal() {
    rm -f "$work/code"
    tmux -S "$server" respawn-pane -k "$1 2>'$work/pane'; echo \$? >'$work/code'; exec sleep 300"
    within 20 test -s "$work/code" || fail "it did not end: $1"
}
buffer_is() { [[ $(tmux -S "$server" show-buffer 2>/dev/null) == "$1" ]]; }

# tmux in a terminal of its own, `outer`, which is another tmux: so both clipboards can be read.
outer=$work/tmux-outer
tmux -S "$server" -f /dev/null new-session -d -x 120 -y 40 'exec sleep 300'
children+=("$(tmux -S "$server" display-message -p '#{pid}')")
tmux -S "$server" set -s set-clipboard on
tmux -S "$server" set -as terminal-features ',*:clipboard'
tmux -S "$outer" -f /dev/null new-session -d -x 130 -y 45 "env -u TMUX tmux -S '$server' attach"
children+=("$(tmux -S "$outer" display-message -p '#{pid}')")
tmux -S "$outer" set -s set-clipboard on
attached() { [[ -n $(tmux -S "$server" list-clients) ]]; }
within 10 attached || fail 'tmux was not attached to its terminal'

in_tmux_terminal "'$rollover' copy '$client_one'"
[[ $(cat "$work/code") == 0 ]] || fail "in tmux: $(cat "$work/pane")"
within 5 buffer_is "$secret_one" || fail 'tmux does not hold the secret'
passed 'tmux with set-clipboard on takes it'
outer_is() { [[ $(tmux -S "$outer" show-buffer 2>/dev/null) == "$1" ]]; }
within 5 outer_is "$secret_one" || fail 'tmux did not pass it on to its terminal'
passed 'and passes it on to the terminal around it'
grep -qi 'keep' "$work/pane" || fail "no word of the copy that stays: $(cat "$work/pane")"
grep -qi 'verif' "$work/pane" || fail "no word of the clearing: $(cat "$work/pane")"
passed 'says that a copy may stay and that clearing cannot be verified'
tmux -S "$server" capture-pane -p -J -S - >"$work/screen-text"
! has one "$work/screen-text" || fail 'the secret is on the screen'
! has one "$work/pane" || fail 'the secret was printed'

tmux -S "$server" delete-buffer
for setting in external off; do
    tmux -S "$server" set -s set-clipboard "$setting"
    in_tmux_terminal "'$rollover' copy '$client_one'"
    [[ $(cat "$work/code") != 0 ]] || fail "with set-clipboard $setting it claims success"
    grep -q 'set -s set-clipboard on' "$work/pane" || fail "with set-clipboard $setting no advice: $(cat "$work/pane")"
    [[ -z $(tmux -S "$server" list-buffers) ]] || fail "with set-clipboard $setting tmux took it all the same"
done
passed 'where tmux would drop it, it says so and what to set'

in_tmux "'$rollover' copy '$client_one'"
[[ $(cat "$work/code") != 0 ]] || fail 'copying into a file succeeded'
! grep -qF 52 "$work/pane.out" || fail 'an escape sequence went into a file'
passed 'nothing is sent where stdout is no terminal'

# A dead display in a terminal: the terminal takes its place, and the reason is said.
tmux -S "$server" set -s set-clipboard on
in_tmux_terminal "DISPLAY=:7654 '$rollover' copy '$client_two'"
[[ $(cat "$work/code") == 0 ]] || fail "with a dead display: $(cat "$work/pane")"
within 5 buffer_is "$secret_two" || fail 'with a dead display, the terminal did not take its place'
grep -q 'display' "$work/pane" || fail "no word of the display: $(cat "$work/pane")"
passed 'with a dead display the terminal takes its place'

# A bare terminal, as over SSH: script's pseudo-terminal writes down what a terminal would get.
SSH_CONNECTION='192.0.2.1 50000 192.0.2.2 22' DISPLAY=:0 \
    script -qec "'$rollover' copy '$client_one'" "$work/bare" >/dev/null </dev/null
decoded "$work/bare" >"$work/decoded"
has one "$work/decoded" || fail 'the terminal was not sent the secret'
! has one "$work/bare" || fail 'the secret was printed as it is'
passed 'over SSH it goes to the terminal, not to the far machine'"'"'s display'

# GNU screen passes to its terminal what comes in a device control string.
printf 'startup_message off\n' >"$work/screenrc"
# screen must have written it out before it ends, so it stays until that is seen.
printf '"%s" copy "%s"\nuntil [ -e "%s" ]; do sleep 0.1; done\n' "$rollover" "$client_two" "$work/seen" >"$work/in-screen"
TERM=xterm-256color SCREENDIR=$work/screens \
    script -qfc "mkdir -p -m 700 '$work/screens'; screen -c '$work/screenrc' sh '$work/in-screen'" "$work/screen" \
    >/dev/null </dev/null &
inside=$!
through_screen() { decoded "$work/screen" >"$work/decoded" 2>/dev/null && has two "$work/decoded"; }
within 20 through_screen || fail 'screen did not pass it on'
touch "$work/seen"
wait "$inside"
passed 'GNU screen passes it on'

no_leaks

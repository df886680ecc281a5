#!/usr/bin/env bash
# Traces every program that is started while rollover does all that it can do, and looks for secrets in their arguments and
# environment. Needs strace, and installs it with Debian's apt-get.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v strace >/dev/null 2>&1; then
  echo "installing strace with apt-get"
  apt-get install -y -qq strace >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq strace >/dev/null; }
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
executable=$(cargo test --locked --test gone --no-run --message-format=json 2>/dev/null |
  sed -n 's/.*"executable":"\([^"]*\/gone-[^"]*\)".*/\1/p' | tail -n 1)
ROLLOVER_TRACED_SECRETS="$work/secrets" strace -f -qq -e trace=execve,execveat -v -s 65536 -o "$work/trace" \
  "$executable" --exact everything_for_whoever_traces_it >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }

started=$(grep -c 'execve' "$work/trace")
secrets=$(grep -c . "$work/secrets")
[ "$started" -ge 40 ] || { echo "only $started programs were started"; exit 1; }
[ "$secrets" -ge 6 ] || { echo "only $secrets secrets lived"; exit 1; }
if grep -F -f "$work/secrets" "$work/trace" | cut -c 1-300; then
  echo "a secret was given to a program in its arguments or environment"
  exit 1
fi
echo "$started programs started, $secrets secrets in none of their arguments and environments"

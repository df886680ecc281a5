#!/usr/bin/env bash
# What other programs read in files of variables that rollover edited: bash, python-dotenv, and dotenv for Node.js. Five hundred
# files, or ROLLOVER_FILES, are taken through the steps of a rollover (tests/targets_dotenv.rs); after each step every one of the
# three must read just the secrets that were written. Takes a minute once cargo has built the tests.
#
# Needs cargo; for python-dotenv and dotenv the network, pip and npm: both go to a temporary folder and with it.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

need python3 python3
python3 -c 'import ensurepip' 2>/dev/null || need ensurepip python3-venv
need node nodejs
need npm npm

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --disable-pip-version-check --quiet 'python-dotenv==1.*'
passed "installed $("$work/venv/bin/pip" freeze --disable-pip-version-check | grep -i dotenv)"
(cd "$work" && npm install --silent --no-fund --no-audit --ignore-scripts dotenv@17 >/dev/null)
passed "installed $(cd "$work" && node -p '"dotenv " + require("dotenv/package.json").version')"

files=$work/files
mkdir "$files"
(cd "$root" && ROLLOVER_FILES=${ROLLOVER_FILES:-500} ROLLOVER_FILES_IN=$files cargo test --quiet --test targets_dotenv -- --ignored --exact files_for_other_programs)
# The current secret and the fallback of each file, a line each; nothing is an empty line.
find "$files" -name '*.edited' | sort >"$work/list"
(($(wc -l <"$work/list") > 100)) || fail 'too few files were made'
while read -r file; do cat "${file%.edited}.holds"; done <"$work/list" >"$work/expected"

# shellcheck disable=SC2016
env -i LC_ALL=C.UTF-8 bash --norc --noprofile -c '
    while read -r file; do
        (set -a; . "$file"; printf "%s\n%s\n" "${AUTH0_CLIENT_SECRET-}" "${AUTH0_CLIENT_SECRET_FALLBACK-}")
    done' <"$work/list" >"$work/bash" 2>&1

cat >"$work/read.py" <<'PYTHON'
import sys
from dotenv import dotenv_values
for file in sys.stdin.read().split("\n")[:-1]:
    values = dotenv_values(file)
    for name in ("AUTH0_CLIENT_SECRET", "AUTH0_CLIENT_SECRET_FALLBACK"):
        print(values.get(name) or "")
PYTHON
env -i LC_ALL=C.UTF-8 "$work/venv/bin/python" "$work/read.py" <"$work/list" >"$work/python" 2>&1

cat >"$work/read.js" <<'NODE'
const fs = require('fs')
const { parse } = require('dotenv')
for (const file of fs.readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
  const values = parse(fs.readFileSync(file))
  console.log(`${values.AUTH0_CLIENT_SECRET ?? ''}\n${values.AUTH0_CLIENT_SECRET_FALLBACK ?? ''}`)
}
NODE
node "$work/read.js" <"$work/list" >"$work/node" 2>&1

wrong=0
for reader in bash python node; do
    if cmp -s "$work/expected" "$work/$reader"; then
        passed "$reader reads all $(wc -l <"$work/list") files as they were written"
    else
        wrong=1
        line=$(cmp "$work/expected" "$work/$reader" | sed 's/.* line //') || true
        file=$(sed -n "$(((line + 1) / 2))p" "$work/list")
        printf '%s\n' "--- $file" && cat -A "$file"
        printf '%s\n' '--- must hold' && cat -A "${file%.edited}.holds"
        printf '%s\n' "--- $reader reads" && sed -n "$((line - (line + 1) % 2)),$((line + line % 2))p" "$work/$reader" | cat -A
        fail "$reader reads other secrets than were written" || true
    fi
done
exit "$wrong"

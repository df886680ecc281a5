#!/usr/bin/env bash
# A newcomer's first command compiles the whole tree: it must stay small.
set -euo pipefail
cd "$(dirname "$0")/.."
most=330
count=$(cargo tree --locked --edges normal,build --prefix none --format '{p}' | sed 's/ (\*)$//' | sort -u | wc -l)
echo "$count crates of at most $most"
[ "$count" -le "$most" ]

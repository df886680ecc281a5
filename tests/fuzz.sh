#!/usr/bin/env bash
# Texts that nobody would write: the configuration, changes of it, addresses, names, what is kept. A minute of them, or
# FUZZ_SECONDS; FUZZ_SEED says which comes first. What fails names the seed to see it again.
#
# Needs cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export FUZZ_SECONDS=${FUZZ_SECONDS:-60}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One after the other: each takes its share of the time.
cargo test --locked --quiet --lib -- tenants::fuzz --test-threads=1 --nocapture 2>&1 | tee "$log"
awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^executions/) all += $(i - 1) }
    END { if (!all) { print "FAILED: nothing ran"; exit 1 } printf "ok: %d executions in %d s\n", all, ENVIRON["FUZZ_SECONDS"] }' "$log"

#!/usr/bin/env bash
# The procedures as a state machine, as often as must hold before a change lands: a hundred thousand cases of faults, crashes and
# other people, and two thousand interleavings of two operators. ROLLOVER_CASES says how many each half plays, ROLLOVER_INTERLEAVINGS
# how many of those; ROLLOVER_SEED, which ones: what fails names its smallest case, and the seed shows it again.
#
# Needs cargo. `cargo test --test machine` plays a few hundred of the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ROLLOVER_CASES=${ROLLOVER_CASES:-50000}
export ROLLOVER_INTERLEAVINGS=${ROLLOVER_INTERLEAVINGS:-2000}
# Always the same, so that what fails here failed because of what was changed; any other number plays other cases.
export ROLLOVER_SEED=${ROLLOVER_SEED:-1}
# Of thousands of cases that fail while the smallest is looked for, the way there is noise.
export RUST_BACKTRACE=0
echo "seed $ROLLOVER_SEED"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# So many cases pay for a build that is optimised a little.
cargo test --locked --quiet --config profile.dev.package.rollover.opt-level=1 --test machine -- \
  --nocapture --test-threads=2 2>&1 | tee "$log"
awk '/^\.*machine [0-9]+:/ { all += $3 } /^\.*operators:/ { both += $2 }
    END { if (!all || !both) { print "FAILED: nothing ran"; exit 1 }
    printf "ok: %d cases against the pretend tenant, %d interleavings of two operators\n", all, both }' "$log"

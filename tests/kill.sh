#!/usr/bin/env bash
# Kills the program ten thousand times, at any moment of any procedure: tests/kill.rs, which `cargo test` does three hundred times.
# Takes most of an hour on two cores, so it is no part of .ci/run. ROLLOVER_KILLS says how often, ROLLOVER_KILL_SEED repeats a run,
# and with ROLLOVER_KILL_ROUND it repeats one round of it.
set -euo pipefail
cd "$(dirname "$0")/.."
ROLLOVER_KILLS=${ROLLOVER_KILLS:-10000} exec cargo test --locked --test kill -- --nocapture

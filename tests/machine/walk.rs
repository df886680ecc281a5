//! Every state and every transition; every line of the reconcile table.
use std::collections::BTreeSet;

use rollover::domain::rollover::{Decision, MOST_ATTEMPTS, Mode, Reconcile, Seen, State};

fn following(state: State, mode: Mode) -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(move |next| *next != state && state.may_become(*next, mode))
}

/// What can be reached from a state, itself included.
fn reachable(from: State, mode: Mode) -> Vec<State> {
    let mut found = vec![from];
    let mut at = 0;
    while let Some(state) = found.get(at).copied() {
        for next in following(state, mode) {
            if !found.contains(&next) {
                found.push(next);
            }
        }
        at += 1;
    }
    found
}

#[test]
fn every_state_is_reached_and_leads_to_an_end() {
    let mut transitions = 0;
    for mode in Mode::ALL {
        let all = reachable(State::Planned, mode);
        for state in State::ALL {
            let only_in_set_mode = matches!(state, State::Staged | State::Delivered);
            assert_eq!(all.contains(&state), mode == Mode::Set || !only_in_set_mode, "{state:?}, {mode:?}");
        }
        for state in all {
            transitions += following(state, mode).count();
            if state.is_final() {
                let next: Vec<_> = State::ALL.into_iter().filter(|next| state.may_become(*next, mode)).collect();
                assert!(next.is_empty(), "{state:?} has ended and may become {next:?}");
            } else {
                assert!(reachable(state, mode).into_iter().any(State::is_final), "{state:?}, {mode:?} never ends");
            }
        }
    }
    println!("walk: {} states, {transitions} transitions in both modes", State::ALL.len());
}

#[test]
fn what_is_live_changes_only_after_it_is_recorded_that_it_will() {
    let before = |wanted: State, mode: Mode| -> BTreeSet<&str> {
        let all = State::ALL.into_iter().filter(|state| *state != wanted && state.may_become(wanted, mode));
        all.map(State::name).collect()
    };
    for mode in Mode::ALL {
        // The new one is live for what is before the change by way of a request alone.
        for state in State::ALL.into_iter().filter(|state| state.is_before_change()) {
            for next in following(state, mode) {
                let allowed =
                    next.is_before_change() || matches!(next, State::Sending | State::Abandoned | State::Conflict);
                assert!(allowed, "{state:?} may become {next:?}");
            }
        }
        assert_eq!(before(State::Retired, mode), BTreeSet::from(["holding"]), "retired follows from holding alone");
        assert_eq!(before(State::RolledBack, mode), BTreeSet::from(["rolling_back"]));
        assert_eq!(before(State::Rejected, mode), BTreeSet::from(["sending"]), "only a request can be refused");
        assert_eq!(before(State::Promoting, mode), BTreeSet::from(["verified", "holding"]));
        // Nothing that is live is given up: only what waits for a person, or never changed anything.
        for state in before(State::Abandoned, mode) {
            let state = State::named(state).expect("a state");
            assert!(!state.is_live() && !matches!(state, State::Sending | State::RollingBack), "{state:?}");
        }
        // A crash while a request is out leaves a doubt, which the record can take.
        for state in State::ALL {
            let after = state.after_a_crash();
            assert!(after == state || state.may_become(after, mode));
        }
        assert_eq!(State::Sending.after_a_crash(), State::InDoubt);
    }
    assert!(before(State::Sending, Mode::Server).contains("baselined"));
    assert!(!before(State::Sending, Mode::Server).contains("staged"));
    assert!(!before(State::Sending, Mode::Set).contains("baselined"), "what is set is sealed before");
}

/// The table of the design, written out: a line for what is seen, a column for each mode.
fn table(asked: Reconcile, seen: Seen) -> Decision {
    let Reconcile { mode, attempt, answer_stored, quiet, another_actor } = asked;
    let again = attempt <= 3;
    match seen {
        Seen::New => Decision::IsIn,
        Seen::Old => match (quiet, mode) {
            (false, _) => Decision::WaitThenRead,
            (true, Mode::Set) => {
                if again {
                    Decision::SendAgain
                } else {
                    Decision::Ask
                }
            }
            (true, Mode::Server) => Decision::Ask,
        },
        Seen::Other => match mode {
            Mode::Set => Decision::Conflict,
            Mode::Server => {
                if answer_stored || another_actor == Some(true) {
                    Decision::Conflict
                } else {
                    Decision::Adopt
                }
            }
        },
        Seen::NotVisible => match mode {
            Mode::Set => {
                if again {
                    Decision::SendAndProbe
                } else {
                    Decision::Ask
                }
            }
            Mode::Server => Decision::ProbeOld,
        },
        Seen::Failed => Decision::Stay,
    }
}

#[test]
fn every_line_of_the_reconcile_table_decides_as_the_design_says() {
    let mut lines = 0;
    for seen in [Seen::New, Seen::Old, Seen::Other, Seen::NotVisible, Seen::Failed] {
        for mode in Mode::ALL {
            for attempt in 0..=MOST_ATTEMPTS + 1 {
                for quiet in [false, true] {
                    for answer_stored in [false, true] {
                        for another_actor in [None, Some(false), Some(true)] {
                            let asked = Reconcile { mode, attempt, answer_stored, quiet, another_actor };
                            let decided = asked.decide(seen);
                            assert_eq!(decided, table(asked, seen), "{asked:?}, {seen:?}");
                            let sends = matches!(decided, Decision::SendAgain | Decision::SendAndProbe);
                            assert!(!sends || mode == Mode::Set, "Auth0's own choice is never asked for twice");
                            lines += 1;
                        }
                    }
                }
            }
        }
    }
    println!("reconcile: {lines} lines");
}

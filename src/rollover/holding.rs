use crate::domain::rollover::{Role, Rollover};
use crate::domain::target::{Held, Holding, Slots};
use crate::domain::{FingerprintKey, Secret, SecretPrint};

/// What a target holds, beside the live secret and what the ledger knows of the client's rollover, by fingerprint.
#[must_use]
pub fn holding(slots: &Slots, live: Option<&Secret>, row: Option<&Rollover>, key: &FingerprintKey) -> Holding {
    let print = |role: Role| match (role, row) {
        (Role::Old, Some(row)) => row.old,
        (Role::New, Some(row)) => row.new,
        _ => None,
    };
    let before = row.is_some_and(|row| row.state.is_before_change() || row.in_doubt());
    let is = |known: Option<SecretPrint>, secret: &Secret| known.is_some() && known == key.print(secret);
    let held = |secret: Option<&Secret>| match secret {
        None => Held::Nothing,
        Some(secret) if live.is_some_and(|live| live.same_as(secret)) => Held::Current,
        Some(secret) if is(print(Role::New), secret) => {
            if row.is_some_and(|row| row.state.is_live()) && live.is_none() {
                Held::Current
            } else if before {
                Held::Pending
            } else {
                Held::Previous
            }
        }
        Some(secret) if is(print(Role::Old), secret) => {
            if before && live.is_none() {
                Held::Current
            } else {
                Held::Previous
            }
        }
        Some(secret) => Held::Other(key.of(secret)),
    };
    Holding { current: held(slots.current.as_deref()), fallback: held(slots.fallback.as_deref()) }
}

use std::collections::BTreeMap;

use super::event::Moment;
use crate::domain::rollover::{NAG_AFTER_DAYS, Phase, RolloverId, State, TargetRow, TargetState};
use crate::domain::{Domain, Rollover, Target};
use crate::ledger::LedgerError;

/// How often the ledger is looked at while another process works on what is on screen.
pub const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// How many looks that find nothing new are made in a row: whoever worked there has died, or waits for a person.
const MOST_LOOKS: u32 = 180;

/// What the ledger knows, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRead {
    /// All rollovers.
    pub rollovers: Vec<Rollover>,
    /// A number that changes when another process has changed them.
    pub version: i64,
}

/// What the configuration says of rollovers.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrangements {
    /// The targets of the tenant on screen, by client id.
    pub targets: BTreeMap<String, Vec<Target>>,
    /// After how many days of holding both secrets a person is told.
    pub nag_after_days: u32,
    /// After how many minutes without input keys are forgotten; 0: never.
    pub lock_after_minutes: u32,
}

impl Default for Arrangements {
    fn default() -> Self {
        Self { targets: BTreeMap::new(), nag_after_days: NAG_AFTER_DAYS, lock_after_minutes: 5 }
    }
}

/// What is known of rollovers, of this run and of others.
#[derive(Debug, Default)]
pub struct Records {
    /// Unfinished first, then the latest first. Of other tenants too.
    pub rollovers: Vec<Rollover>,
    /// Whether the ledger was read.
    pub read: bool,
    /// The ledger's number when it was.
    pub version: Option<i64>,
    /// Why it cannot be used, where it cannot.
    pub trouble: Option<LedgerError>,
    /// What the configuration says.
    pub arrangements: Arrangements,
    /// Why the configuration cannot be used, where it cannot. Safe to print.
    pub misconfigured: Option<String>,
    /// Whether what was found unfinished was told and gone on with.
    pub gone_on: bool,
    /// Clients that another process works on, and who that is.
    pub leased: BTreeMap<String, String>,
    /// Whether a look is under way.
    pub looking: bool,
    /// When the next look is due.
    pub next_look: Option<Moment>,
    looks: u32,
}

impl Records {
    /// Takes in what was read; `None`: nothing has changed.
    pub fn take(&mut self, read: Option<LedgerRead>) {
        self.looking = false;
        let Some(read) = read else {
            self.looks += 1;
            return;
        };
        self.looks = 0;
        self.read = true;
        self.version = Some(read.version);
        self.trouble = None;
        // What our own jobs have told since may be newer than what was read meanwhile.
        let known = std::mem::take(&mut self.rollovers);
        self.rollovers = read.rollovers;
        for row in known {
            if self.get(&row.id).is_some_and(|there| there.generation < row.generation) {
                self.put(row);
            }
        }
        self.sort();
    }

    /// Takes in one rollover as it is now.
    pub fn put(&mut self, row: Rollover) {
        match self.rollovers.iter_mut().find(|known| known.id == row.id) {
            Some(known) if known.generation <= row.generation => *known = row,
            Some(_) => {}
            None => self.rollovers.push(row),
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.rollovers.sort_by(|one, other| (one.state.is_final(), &other.id).cmp(&(other.state.is_final(), &one.id)));
    }

    /// The rollover with this number.
    #[must_use]
    pub fn get(&self, id: &RolloverId) -> Option<&Rollover> {
        self.rollovers.iter().find(|row| row.id == *id)
    }

    /// A client's latest rollover.
    #[must_use]
    pub fn latest(&self, domain: &Domain, client_id: &str) -> Option<&Rollover> {
        let is_of = |row: &&Rollover| row.tenant == *domain && row.client_id == client_id;
        self.rollovers.iter().filter(is_of).max_by_key(|row| row.id.as_str())
    }

    /// The rollovers of a tenant.
    pub fn of<'a>(&'a self, domain: &'a Domain) -> impl Iterator<Item = &'a Rollover> {
        self.rollovers.iter().filter(move |row| row.tenant == *domain)
    }

    /// Those of a tenant that have not ended.
    pub fn unfinished<'a>(&'a self, domain: &'a Domain) -> impl Iterator<Item = &'a Rollover> {
        self.of(domain).filter(|row| !row.state.is_final())
    }

    /// A client's targets.
    #[must_use]
    pub fn targets(&self, client_id: &str) -> &[Target] {
        self.arrangements.targets.get(client_id).map_or(&[], Vec::as_slice)
    }

    /// Whether another look may find something new.
    #[must_use]
    pub fn worth_looking(&self) -> bool {
        self.looks < MOST_LOOKS
    }

    /// Somebody looks at it anew: the count of looks begins anew.
    pub fn look_anew(&mut self) {
        self.looks = 0;
    }
}

/// Whether somebody seems to be at work on it at this moment.
#[must_use]
pub fn moves(row: &Rollover) -> bool {
    if row.state.is_final() {
        return false;
    }
    matches!(
        row.state,
        State::Planned | State::Baselined | State::Sending | State::Applied | State::Verified | State::Promoting
    ) || row.state == State::RollingBack
        || row.targets.iter().any(|target| matches!(target.state, TargetState::Writing | TargetState::Written))
}

/// Where a target of a rollover stands.
#[must_use]
pub fn target_row<'a>(row: &'a Rollover, name: &str) -> Option<&'a TargetRow> {
    row.targets.iter().rev().find(|target| target.name == name)
}

/// The targets whose apps would have no working secret after a cutover.
#[must_use]
pub fn lacking<'a>(row: &Rollover, targets: &'a [Target]) -> Vec<&'a str> {
    let ready = |name: &str| {
        let mut rows = row.targets.iter().filter(|target| target.name == name && target.phase == Phase::Deliver);
        rows.any(|target| target.state == TargetState::Verified)
    };
    targets.iter().map(|target| target.name.as_str()).filter(|name| !ready(name)).collect()
}

use std::collections::BTreeMap;

use super::Home;
use crate::domain::Domain;
use crate::files;

/// When each tenant was last used: seconds since 1970, by its address. Worth keeping, not worth failing for: what cannot be read
/// or written is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<String, i64>);

/// A use is noted again after this many seconds: a script that lists a hundred times need not write a hundred times.
const COARSE: i64 = 60;

impl Usage {
    pub(super) fn load(home: &Home) -> Self {
        let text = files::read(&home.state().join("last-used.json")).ok();
        Self(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    pub(super) fn note(home: &Home, domain: &Domain) {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let mut usage = Self::load(home);
        let key = domain.base().to_string();
        if usage.0.get(&key).is_some_and(|at| (0..COARSE).contains(&(now - at))) {
            return;
        }
        usage.0.insert(key, now);
        if let Ok(text) = serde_json::to_vec(&usage.0) {
            let _ = files::replace(&home.state().join("last-used.json"), &text);
        }
    }

    /// When the tenant at this address was last used.
    #[must_use]
    pub fn of(&self, domain: &Domain) -> Option<i64> {
        self.0.get(domain.base().as_str()).copied()
    }
}

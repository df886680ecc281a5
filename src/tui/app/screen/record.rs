use crate::domain::RolloverId;

/// One rollover: what is known of it, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub id: RolloverId,
    /// First line that is shown.
    pub scroll: usize,
}

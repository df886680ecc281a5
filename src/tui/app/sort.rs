use std::cmp::Ordering;
use std::sync::Arc;

use crate::domain::Catalog;
use crate::domain::catalog::Row;
use crate::domain::client::app_type_label;

/// By what the table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// Name, regardless of case.
    #[default]
    Name,
    /// Type, then name.
    Type,
    /// How it authenticates, then name.
    Auth,
    /// Third parties first, then name.
    Party,
}

impl Order {
    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Name => Self::Type,
            Self::Type => Self::Auth,
            Self::Auth => Self::Party,
            Self::Party => Self::Name,
        }
    }

    /// Its name on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Auth => "authentication",
            Self::Party => "party",
        }
    }

    fn compare(self, one: &Row<'_>, two: &Row<'_>) -> Ordering {
        let first = match self {
            Self::Name => Ordering::Equal,
            Self::Type => app_type_label(one.app_type).cmp(app_type_label(two.app_type)),
            Self::Auth => one.auth.label().cmp(&two.auth.label()),
            Self::Party => one.is_first_party.cmp(&two.is_first_party),
        };
        first.then_with(|| by_name(one.name, two.name)).then_with(|| one.client_id.cmp(two.client_id))
    }
}

fn by_name(one: &str, two: &str) -> Ordering {
    // Up to the first letter that is not ASCII or differs, bytes will do.
    let differ = |(a, b): (u8, u8)| !a.is_ascii() || !b.is_ascii() || !a.eq_ignore_ascii_case(&b);
    match one.bytes().zip(two.bytes()).position(differ) {
        None if one.is_ascii() && two.is_ascii() => return one.len().cmp(&two.len()),
        Some(at) => {
            let (a, b) = (one.as_bytes()[at], two.as_bytes()[at]);
            if a.is_ascii() && b.is_ascii() {
                return a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
            }
        }
        None => {}
    }
    one.chars().flat_map(char::to_lowercase).cmp(two.chars().flat_map(char::to_lowercase))
}

/// Catalog indices in this order.
#[must_use]
pub fn sorted(catalog: &Catalog, order: Order) -> Arc<[u32]> {
    let mut indices: Vec<u32> = (0..u32::try_from(catalog.len()).unwrap_or(u32::MAX)).collect();
    indices.sort_unstable_by(|one, two| match (catalog.get(*one as usize), catalog.get(*two as usize)) {
        (Some(one_row), Some(two_row)) => order.compare(&one_row, &two_row).then(one.cmp(two)),
        _ => one.cmp(two),
    });
    indices.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthMethod, ClientSummary};

    #[test]
    fn sorts_regardless_of_case_and_ties_by_name() {
        let mut catalog = Catalog::default();
        for (name, kind) in [("beta", "spa"), ("Alpha", "native"), ("Äther", "spa"), ("alpha 2", "spa")] {
            catalog.push(&ClientSummary {
                client_id: name.into(),
                name: name.into(),
                app_type: Some(kind.into()),
                is_first_party: Some(name != "beta"),
                auth: AuthMethod::None,
                global: false,
            });
        }
        assert_eq!(sorted(&catalog, Order::Name).to_vec(), [1, 3, 0, 2]);
        assert_eq!(sorted(&catalog, Order::Type).to_vec(), [1, 3, 0, 2]);
        assert_eq!(sorted(&catalog, Order::Party).to_vec(), [0, 1, 3, 2]);
    }

    proptest::proptest! {
        #[test]
        fn names_compare_as_their_lower_case(one in "[aAbBzZ\\[_äÄß日]{0,6}", two in "[aAbBzZ\\[_äÄß日]{0,6}") {
            let lower = |name: &str| name.chars().flat_map(char::to_lowercase).collect::<String>();
            proptest::prop_assert_eq!(by_name(&one, &two), lower(&one).cmp(&lower(&two)));
        }
    }
}

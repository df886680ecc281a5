use std::collections::BTreeSet;

/// Read one client's or all clients' settings.
pub const READ_CLIENTS: &str = "read:clients";
/// Read client secrets.
pub const READ_CLIENT_KEYS: &str = "read:client_keys";
/// Rotate client secrets, or set them.
pub const UPDATE_CLIENT_KEYS: &str = "update:client_keys";
/// Change clients' settings other than secrets.
pub const UPDATE_CLIENTS: &str = "update:clients";
/// Read the tenant's log events.
pub const READ_LOGS: &str = "read:logs";

/// The scopes of a Management API token, as its own `scope` claim names them.
///
/// The claim is read without checking the signature: it decides what is offered, never what is
/// permitted. That is Auth0's decision, made again on every request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scopes(Option<BTreeSet<Box<str>>>);

/// Whether something can be done with the token at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    /// The token names the scope.
    Yes,
    /// The token is opaque: only trying will tell.
    Unknown,
    /// The token lacks this scope.
    No {
        /// The scope that would permit it.
        missing: &'static str,
    },
}

impl Ability {
    /// Whether it is worth trying.
    #[must_use]
    pub fn may(&self) -> bool {
        !matches!(self, Self::No { .. })
    }
}

/// Whether something can be done, the scope that it takes, and what it is.
pub type Purpose = (fn(&Scopes) -> Ability, &'static str, &'static str);

impl Scopes {
    /// What rollover uses scopes for, the least first.
    pub const PURPOSES: [Purpose; 5] = [
        (Self::list_clients, READ_CLIENTS, "list clients and read their settings"),
        (Self::rotate, UPDATE_CLIENT_KEYS, "rotate client secrets"),
        (Self::read_secrets, READ_CLIENT_KEYS, "reveal and copy secrets, settle a rotation whose answer got lost"),
        (Self::read_logs, READ_LOGS, "read the tenant's log: who uses a secret, who changed one"),
        (Self::update_clients, UPDATE_CLIENTS, "change other settings of clients, such as a mark of the last rotation"),
    ];

    /// For a token that does not tell.
    #[must_use]
    pub fn unknown() -> Self {
        Self(None)
    }

    /// From the token's `scope` claim: names separated by spaces.
    #[must_use]
    pub fn from_claim(claim: &str) -> Self {
        Self(Some(claim.split_ascii_whitespace().map(Box::from).collect()))
    }

    /// Whether the token says what it may do.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the token names `scope`; `None` where it does not tell.
    #[must_use]
    pub fn has(&self, scope: &str) -> Option<bool> {
        self.0.as_ref().map(|all| all.contains(scope))
    }

    /// Their names in order; empty where the token does not tell.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(AsRef::as_ref)
    }

    fn any(&self, accepted: &[&'static str]) -> Ability {
        match &self.0 {
            None => Ability::Unknown,
            Some(all) if accepted.iter().any(|scope| all.contains(*scope)) => Ability::Yes,
            Some(_) => Ability::No { missing: accepted[0] },
        }
    }

    /// List clients and read their settings. Source: OAS `get_clients`, 403.
    #[must_use]
    pub fn list_clients(&self) -> Ability {
        self.any(&[READ_CLIENTS, READ_CLIENT_KEYS, "read:client_summary"])
    }

    /// Read more of a client than its name, type and description. Source: OAS `get_clients`, description.
    #[must_use]
    pub fn read_settings(&self) -> Ability {
        self.any(&[READ_CLIENTS, READ_CLIENT_KEYS])
    }

    /// Read a client's secret and its authentication methods. Source: OAS `get_clients_by_id`.
    #[must_use]
    pub fn read_secrets(&self) -> Ability {
        self.any(&[READ_CLIENT_KEYS, "read:client_credentials"])
    }

    /// Rotate or set a client's secret. Source: OAS `post_rotate-secret`.
    #[must_use]
    pub fn rotate(&self) -> Ability {
        self.any(&[UPDATE_CLIENT_KEYS])
    }

    /// Change a client's settings other than secrets. Source: OAS `patch_clients_by_id`.
    #[must_use]
    pub fn update_clients(&self) -> Ability {
        self.any(&[UPDATE_CLIENTS])
    }

    /// Read the tenant's log events. Source: OAS `get_logs`.
    #[must_use]
    pub fn read_logs(&self) -> Ability {
        self.any(&[READ_LOGS, "read:logs_users"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ability_follows_its_scope() {
        let scopes = Scopes::from_claim("read:clients  read:logs");
        assert_eq!(scopes.list_clients(), Ability::Yes);
        assert_eq!(scopes.read_logs(), Ability::Yes);
        assert_eq!(scopes.rotate(), Ability::No { missing: UPDATE_CLIENT_KEYS });
        assert_eq!(scopes.read_secrets(), Ability::No { missing: READ_CLIENT_KEYS });
        assert_eq!(Scopes::unknown().rotate(), Ability::Unknown);
        assert!(Scopes::unknown().rotate().may());
        assert!(!Scopes::from_claim("").rotate().may());
    }
}

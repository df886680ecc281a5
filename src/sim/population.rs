use serde_json::{Map, Value, json};

use super::tenant::{ClientRecord, Clients, letters, new_secret};

/// The clients that a pretend tenant begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Population {
    /// Those of `assets/demo-tenant.json`.
    #[default]
    Demo,
    /// Just so many, the same ones for the same seed. Their secrets are the same too: they guard nothing. The client that
    /// manages the tenant is not among them: it is known by its id alone.
    Generated {
        /// How many.
        clients: usize,
        /// What they follow from.
        seed: u64,
    },
}

/// What the tenant begins with.
pub(super) struct Start {
    pub(super) clients: Clients,
    /// The client that signs in with a private key, and that key, PEM.
    pub(super) private_key: Option<(String, String)>,
}

pub(super) fn start(population: &Population) -> Start {
    match population {
        Population::Demo => demo(),
        Population::Generated { clients, seed } => generated(*clients, *seed),
    }
}

fn record(fields: Map<String, Value>, secret: Box<str>) -> Option<ClientRecord> {
    let id = fields.get("client_id")?.as_str()?.into();
    let document = Value::Object(fields).to_string().into();
    Some(ClientRecord { id, document, secret, old: None, stale: None, history: Vec::new(), public_key: None })
}

fn demo() -> Start {
    let all: Vec<Map<String, Value>> =
        serde_json::from_str(include_str!("../../assets/demo-tenant.json")).unwrap_or_default();
    let mut clients = Clients::default();
    let mut private_key = None;
    for fields in all {
        let signs =
            fields.get("client_authentication_methods").is_some_and(|methods| methods.get("private_key_jwt").is_some());
        if let Some(mut client) = record(fields, new_secret()) {
            if signs {
                client.public_key = Some(include_str!("../../assets/demo-key-public.pem").into());
                private_key = Some((client.id.to_string(), include_str!("../../assets/demo-key.pem").to_owned()));
            }
            clients.add(client);
        }
    }
    Start { clients, private_key }
}

/// The client of the first line of `rollover sim`: it may manage the tenant, and signs in the usual way.
pub(super) fn manager() -> ClientRecord {
    let id = letters(32);
    let fields = json!({
        "tenant": "rollover-demo", "global": false, "client_id": id, "name": "rollover (this program)",
        "description": "The machine-to-machine client that rollover itself signs in with.",
        "app_type": "non_interactive", "is_first_party": true, "oidc_conformant": true,
        "token_endpoint_auth_method": "client_secret_post", "grant_types": ["client_credentials"],
        "jwt_configuration": { "alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false }
    });
    ClientRecord {
        id: id.into(),
        document: fields.to_string().into(),
        secret: new_secret(),
        old: None,
        stale: None,
        history: Vec::new(),
        public_key: None,
    }
}

const TEAMS: [&str; 24] = [
    "Billing",
    "Payments",
    "Payroll",
    "Orders",
    "Warehouse",
    "Shipping",
    "Returns",
    "Catalog",
    "Search",
    "Pricing",
    "Loyalty",
    "Support",
    "Marketing",
    "Newsletter",
    "Reporting",
    "Ledger",
    "Identity",
    "Partner",
    "Mobile",
    "Kiosk",
    "Zebra",
    "Fraud",
    "Tax",
    "Invoice",
];
const PARTS: [&str; 20] = [
    "API",
    "Portal",
    "Worker",
    "Gateway",
    "Sync",
    "Export",
    "Import",
    "Dashboard",
    "Frontend",
    "Scheduler",
    "Webhook",
    "Bridge",
    "Scanner",
    "Bot",
    "Console",
    "Agent",
    "Mailer",
    "Proxy",
    "Cache",
    "Service",
];
const PLACES: [&str; 10] = ["EU", "US", "UK", "JP", "AU", "staging", "dev", "qa", "blue", "green"];
/// Type, method (or the key instead of one), grants.
const KINDS: [(&str, &str, &str); 8] = [
    ("non_interactive", "client_secret_post", "client_credentials"),
    ("regular_web", "client_secret_post", "authorization_code"),
    ("spa", "none", "authorization_code"),
    ("native", "none", "authorization_code"),
    ("non_interactive", "client_secret_basic", "client_credentials"),
    ("regular_web", "client_secret_basic", "authorization_code"),
    ("non_interactive", "", "client_credentials"),
    ("", "", "authorization_code"),
];

fn generated(count: usize, seed: u64) -> Start {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut clients = Clients::default();
    for number in 0..count {
        let team = TEAMS[random.usize(..TEAMS.len())];
        let part = PARTS[random.usize(..PARTS.len())];
        let place = PLACES[random.usize(..PLACES.len())];
        let (app_type, method, grant) = KINDS[random.usize(..KINDS.len())];
        let id: String = std::iter::repeat_with(|| random.alphanumeric()).take(32).collect();
        let secret: String = std::iter::repeat_with(|| random.alphanumeric()).take(64).collect();
        // Written out by hand: a hundred thousand of them must be there within two seconds.
        let app_type = if app_type.is_empty() { String::new() } else { format!("\"app_type\":\"{app_type}\",") };
        let method =
            if method.is_empty() { String::new() } else { format!("\"token_endpoint_auth_method\":\"{method}\",") };
        let document = format!(
            "{{{app_type}\"callbacks\":[\"https://{lower}.example.com/callback\"],\"client_id\":\"{id}\",\"global\":false,\
             \"grant_types\":[\"{grant}\"],\"is_first_party\":{first},\"jwt_configuration\":{{\"alg\":\"RS256\",\
             \"lifetime_in_seconds\":36000,\"secret_encoded\":false}},\"name\":\"{team} {part} {place} {number}\",\
             \"oidc_conformant\":true,\"tenant\":\"rollover-demo\",{method}\"web_origins\":[]}}",
            lower = team.to_ascii_lowercase(),
            first = random.u8(..20) != 0,
        );
        clients.add(ClientRecord {
            id: id.into(),
            document: document.into(),
            secret: secret.into(),
            old: None,
            stale: None,
            history: Vec::new(),
            public_key: None,
        });
    }
    Start { clients, private_key: None }
}

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::{Error, ErrorKind};
use super::lenient::{FieldTaker, Fields, FirstName, Flag, Text};
use super::token::{Token, random_hex};
use super::transport::{Answer, ONE, PAGE};
use super::{Api, Applied};
use crate::domain::{AuthMethod, Client, ClientSummary, Secret, Untrusted};

/// What RFC 3986 lets stand in a path as it is. Ids like `tpa_…` exist, and a hostile one could hold anything.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a list asks for. Never the secret: every read of one is logged at Auth0.
const LIST_FIELDS: &str = "client_id,name,app_type,is_first_party,token_endpoint_auth_method,global";
/// Visible only with `read:client_keys` or `read:client_credentials`; asked for without, it earns a 403.
const METHODS_FIELD: &str = "client_authentication_methods";
/// What the settings ask for beyond that.
const SETTINGS_FIELDS: &str = "tenant,description,oidc_conformant,grant_types,callbacks,allowed_logout_urls,web_origins,\
allowed_origins,initiate_login_uri,jwt_configuration,refresh_token,organization_usage,cross_origin_authentication,client_metadata";

/// Some clients of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// They.
    pub clients: Vec<ClientSummary>,
    /// How many there are in all, where the server says so.
    pub total: Option<usize>,
}

/// What came of reading a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRead {
    /// Here it is.
    Readable(Arc<Secret>),
    /// The answer held none, or it was refused: the token may not see it, or there is none. Never an empty secret.
    NotVisible,
}

impl Api {
    /// The tenant's clients, page by page.
    #[must_use]
    pub fn pages(&self) -> Pages {
        Pages { api: self.clone(), next: Next::First, seen: HashSet::new(), cursors: HashSet::new(), methods: None }
    }

    /// A client's settings, without its secret.
    ///
    /// # Errors
    /// As the API refuses or fails.
    pub async fn client(&self, client_id: &str) -> Result<Client, Error> {
        let doing = doing("read the settings of", client_id);
        let mut methods = self.may_see_methods().await?;
        loop {
            let more = if methods { METHODS_FIELD } else { "" };
            let query =
                [("fields", format!("{LIST_FIELDS},{SETTINGS_FIELDS},{more}").trim_end_matches(',').to_owned())];
            match self.read(&client_path(client_id), &query, ONE, &doing).await {
                Ok(answer) => {
                    let value: Value = serde_json::from_slice(&answer.body)
                        .map_err(|_| Answer::unreadable(&doing, "it is no client", false))?;
                    return Ok(client_of(&value, methods));
                }
                Err(error) if methods && error.kind == ErrorKind::MissingScope => methods = false,
                Err(error) => return Err(error),
            }
        }
    }

    /// A client's live secret. Auth0 logs this read.
    ///
    /// # Errors
    /// As the API refuses or fails; a refusal of the field alone is [`SecretRead::NotVisible`].
    pub async fn client_secret(&self, client_id: &str) -> Result<SecretRead, Error> {
        let doing = doing("read the secret of", client_id);
        let query = [("fields", "client_id,client_secret".to_owned())];
        match self.read(&client_path(client_id), &query, ONE, &doing).await {
            Ok(answer) => {
                Ok(secret_of(&answer, client_id, &doing, false)?.map_or(SecretRead::NotVisible, SecretRead::Readable))
            }
            Err(error) if error.kind == ErrorKind::MissingScope && error.missing_scopes.is_empty() => {
                Ok(SecretRead::NotVisible)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks Auth0 for a new secret: one `POST …/rotate-secret`, never sent again by itself, but for a 401 that a new token
    /// may mend: it is certain not to have been applied. `None`: rotated, but the answer shows no secret.
    /// Source: OAS `post_rotate-secret`.
    ///
    /// # Errors
    /// [`Error::applied`] says whether it may have been applied.
    pub async fn rotate_secret(&self, client_id: &str, correlation_id: &str) -> Result<Option<Arc<Secret>>, Error> {
        let doing = doing("rotate the secret of", client_id);
        let url = self.0.transport.url(&format!("{}/rotate-secret", client_path(client_id)));
        let mut renewed = false;
        loop {
            let token = self.0.token.get(&self.0.transport).await?;
            let bearer = bearer(&token, &doing)?;
            self.0.pacer.enter().await;
            let sent = self
                .0
                .transport
                .change(
                    |client| {
                        client
                            .post(url.clone())
                            .header(AUTHORIZATION, bearer)
                            .header("x-correlation-id", correlation_id)
                            .header("content-length", "0")
                    },
                    ONE,
                )
                .await;
            let result = match sent {
                Ok(answer) => {
                    self.0.pacer.learn(answer.status, &answer.headers);
                    answer.accept(&doing, true).and_then(|answer| secret_of(&answer, client_id, &doing, true))
                }
                Err(failure) => Err(failure.into_error(&doing, true)),
            };
            match result {
                Err(error) if error.kind == ErrorKind::Unauthorized && self.0.token.renews() && !renewed => {
                    renewed = true;
                    self.0.token.refused(&token).await;
                }
                result => {
                    return result.map_err(|error| Error { correlation_id: Some(correlation_id.to_owned()), ..error });
                }
            }
        }
    }

    /// A correlation id for one mutation: at most 64 characters, found again as `references.correlation_id` in the
    /// tenant's log. Source: Auth0 docs, Management API v2.
    #[must_use]
    pub fn correlation_id() -> String {
        format!("rollover-{}", random_hex())
    }

    async fn may_see_methods(&self) -> Result<bool, Error> {
        // Where the token does not tell, the field is asked for, and left out after a refusal.
        Ok(self.session().await?.scopes.read_secrets().may())
    }

    /// A GET with a token, tried again where that is harmless and may help.
    pub(super) async fn read(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: usize,
        doing: &str,
    ) -> Result<Answer, Error> {
        let url = self.0.transport.url(path);
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            let token = self.0.token.get(&self.0.transport).await?;
            let bearer = bearer(&token, doing)?;
            self.0.pacer.enter().await;
            let build = |client: &reqwest::Client| client.get(url.clone()).query(query).header(AUTHORIZATION, bearer);
            let error = match self.0.transport.read(build, most).await {
                Ok(answer) => {
                    self.0.pacer.learn(answer.status, &answer.headers);
                    match answer.accept(doing, false) {
                        Ok(answer) => return Ok(answer),
                        Err(error) => error,
                    }
                }
                Err(failure) => failure.into_error(doing, false),
            };
            if error.kind == ErrorKind::Unauthorized && self.0.token.renews() && !renewed {
                renewed = true;
                self.0.token.refused(&token).await;
                continue;
            }
            pause_before_retry(attempt, error).await?;
            attempt += 1;
        }
    }
}

/// Waits before the next try of a request that changes nothing, or gives the error back: four tries, full jitter between
/// half a second and eight, or as long as the server asks.
pub(super) async fn pause_before_retry(attempt: u32, error: Error) -> Result<(), Error> {
    const TRIES: u32 = 4;
    let worth_it =
        matches!(error.kind, ErrorKind::RateLimited | ErrorKind::Server | ErrorKind::TimedOut | ErrorKind::Broken);
    if !worth_it || attempt + 1 >= TRIES {
        return Err(error);
    }
    if error.kind == ErrorKind::RateLimited {
        // The pacer holds the next request back as long as the server asked; see `Pacer::learn`.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..120))).await;
        return Ok(());
    }
    let most = (500_u64 << attempt).min(8000);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(most / 2..=most))).await;
    Ok(())
}

fn doing(what: &str, client_id: &str) -> String {
    format!("{what} client {}", crate::domain::untrusted::shown(client_id))
}

fn client_path(client_id: &str) -> String {
    // A path part of dots alone would be taken for a folder step by URL parsers.
    let encoded = utf8_percent_encode(client_id, UNRESERVED).to_string();
    let encoded = if encoded.chars().all(|character| character == '.') { encoded.replace('.', "%2E") } else { encoded };
    format!("/api/v2/clients/{encoded}")
}

fn bearer(token: &Token, doing: &str) -> Result<HeaderValue, Error> {
    let text = zeroize::Zeroizing::new(format!("Bearer {}", token.secret.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| Error {
        kind: ErrorKind::Unauthorized,
        applied: Applied::No,
        doing: doing.to_owned(),
        message: Untrusted::from("the token holds characters that no token has"),
        hint: "Check AUTH0_API_TOKEN: it must be the token alone, on one line.".to_owned(),
        status: None,
        error_code: None,
        missing_scopes: Vec::new(),
        correlation_id: None,
        retry_after: None,
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads `client_secret`, and sees that the answer is about the client that was asked for.
fn secret_of(answer: &Answer, client_id: &str, doing: &str, mutation: bool) -> Result<Option<Arc<Secret>>, Error> {
    #[derive(Default)]
    struct Keys<'a> {
        client_id: Option<Cow<'a, str>>,
        secret: Option<Cow<'a, str>>,
    }
    impl<'de> FieldTaker<'de> for Keys<'de> {
        type Output = Self;
        fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
            match name {
                "client_id" => self.client_id = map.next_value::<Text<'de>>()?.0,
                "client_secret" => self.secret = map.next_value::<Text<'de>>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(())
        }
        fn done(self) -> Self {
            self
        }
    }
    let mut json = serde_json::Deserializer::from_slice(&answer.body);
    let keys = Fields(Keys::default())
        .deserialize(&mut json)
        .and_then(|keys| json.end().map(|()| keys))
        .map_err(|_| Answer::unreadable(doing, "it is no client", mutation))?;
    if keys.client_id.is_some_and(|id| id != client_id) {
        return Err(Answer::unreadable(doing, "it is about another client", mutation));
    }
    Ok(keys.secret.filter(|secret| !secret.is_empty()).map(|secret| Arc::new(Secret::new(secret.into_owned()))))
}

/// The clients of a tenant, page by page: by checkpoint where the server knows that, else by offset.
#[derive(Debug)]
pub struct Pages {
    api: Api,
    next: Next,
    /// Ids that came already: a server that repeats itself must not be asked for ever.
    seen: HashSet<u64>,
    cursors: HashSet<String>,
    methods: Option<bool>,
}

#[derive(Debug)]
enum Next {
    First,
    From(String),
    /// Offset paging; the clients that came so far.
    Offset(usize),
    End,
}

impl Pages {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// As the API refuses or fails, or where it repeats itself.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        const DOING: &str = "list the clients";
        if matches!(self.next, Next::End) {
            return Ok(None);
        }
        let methods = match self.methods {
            Some(methods) => methods,
            None => self.api.may_see_methods().await?,
        };
        self.methods = Some(methods);
        let fields = if methods { format!("{LIST_FIELDS},{METHODS_FIELD}") } else { LIST_FIELDS.to_owned() };
        let mut query = vec![("fields", fields)];
        match &self.next {
            Next::From(cursor) => query.extend([("take", "100".to_owned()), ("from", cursor.clone())]),
            Next::Offset(count) => query.extend([
                ("page", (count / 100).to_string()),
                ("per_page", "100".to_owned()),
                ("include_totals", "true".to_owned()),
            ]),
            Next::First | Next::End => query.push(("take", "100".to_owned())),
        }
        let answer = match self.api.read("/api/v2/clients", &query, PAGE, DOING).await {
            Ok(answer) => answer,
            Err(error) if methods && error.kind == ErrorKind::MissingScope && error.missing_scopes.is_empty() => {
                self.methods = Some(false);
                return Box::pin(self.next()).await;
            }
            // A server that does not know `take` may refuse it.
            Err(error) if error.status == Some(400) && matches!(self.next, Next::First) => {
                self.next = Next::Offset(0);
                return Box::pin(self.next()).await;
            }
            Err(error) => return Err(error),
        };
        let listed = Listed::parse(&answer.body, methods)
            .ok_or_else(|| Answer::unreadable(DOING, "it is no list of clients", false))?;
        self.advance(listed, DOING)
    }

    fn advance(&mut self, listed: Listed, doing: &str) -> Result<Option<Page>, Error> {
        let before = self.seen.len();
        let came = listed.clients.len();
        let clients: Vec<_> =
            listed.clients.into_iter().filter(|client| self.seen.insert(hash(client.client_id.raw()))).collect();
        let repeated = came > 0 && self.seen.len() == before;
        self.next = match (&self.next, listed.next) {
            (Next::First | Next::From(_), Some(cursor)) => {
                if repeated || !self.cursors.insert(cursor.clone()) {
                    return Err(Answer::unreadable(doing, "the same page came twice", false));
                }
                Next::From(cursor)
            }
            // No `next` on the first page: all there is, if this was checkpoint paging (an object without totals); else the
            // server does not know that, and has more wherever the page was full.
            (Next::First, None) if listed.checkpoint => Next::End,
            (Next::First, None) | (Next::Offset(_), _) => {
                let have = self.seen.len();
                let all = listed.total.is_some_and(|total| have >= total);
                // What counts is how many came, not how many were asked for: a server may give fewer to a page.
                let short = listed.total.is_none() && came < listed.limit.unwrap_or(50).min(50);
                if came == 0 || repeated || all || short { Next::End } else { Next::Offset(have) }
            }
            (Next::From(_) | Next::End, _) => Next::End,
        };
        if clients.is_empty() && matches!(self.next, Next::End) {
            return Ok(None);
        }
        Ok(Some(Page { clients, total: listed.total }))
    }
}

fn hash(text: &str) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}

/// What one answer to a list holds.
#[derive(Debug, Default)]
struct Listed {
    clients: Vec<ClientSummary>,
    next: Option<String>,
    total: Option<usize>,
    limit: Option<usize>,
    checkpoint: bool,
}

impl Listed {
    /// From any of the three shapes: a bare array, an object with totals, an object with `next`.
    fn parse(body: &[u8], methods: bool) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let listed = json.deserialize_any(ListedVisitor { methods }).ok()?;
        json.end().ok()?;
        Some(listed)
    }
}

struct ListedVisitor {
    methods: bool,
}

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of clients")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Listed, A::Error> {
        let mut clients = Vec::with_capacity(100);
        while let Some(client) = items.next_element_seed(Fields(Summary::new(self.methods)))? {
            // A client without an id can be neither opened nor told from another.
            clients.extend(client);
        }
        Ok(Listed { clients, ..Listed::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
        let mut listed = Listed { checkpoint: true, ..Listed::default() };
        let mut has_clients = false;
        while let Some(Text(name)) = map.next_key()? {
            match name.as_deref() {
                Some("clients") => {
                    has_clients = true;
                    listed.clients = map.next_value_seed(Clients { methods: self.methods })?;
                }
                Some("next") => {
                    listed.next = map.next_value::<Text<'_>>()?.0.map(Cow::into_owned).filter(|next| !next.is_empty());
                }
                Some(key @ ("total" | "limit" | "start")) => {
                    listed.checkpoint = false;
                    let key = key.to_owned();
                    let number = map.next_value::<Value>()?.as_u64().and_then(|number| usize::try_from(number).ok());
                    match key.as_str() {
                        "total" => listed.total = number,
                        "limit" => listed.limit = number,
                        _ => {}
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_clients { Ok(listed) } else { Err(serde::de::Error::custom("no clients")) }
    }
}

struct Clients {
    methods: bool,
}

impl<'de> DeserializeSeed<'de> for Clients {
    type Value = Vec<ClientSummary>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct Only(bool);
        impl<'de> Visitor<'de> for Only {
            type Value = Vec<ClientSummary>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of clients")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                ListedVisitor { methods: self.0 }.visit_seq(items).map(|listed| listed.clients)
            }
        }
        deserializer.deserialize_seq(Only(self.methods))
    }
}

/// One client of a list, read field by field without a copy of what is passed over.
struct Summary<'a> {
    methods_visible: bool,
    client_id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    app_type: Option<Cow<'a, str>>,
    is_first_party: Option<bool>,
    endpoint: Option<Cow<'a, str>>,
    methods: Option<String>,
    global: Option<bool>,
}

impl Summary<'_> {
    fn new(methods_visible: bool) -> Self {
        Self {
            methods_visible,
            client_id: None,
            name: None,
            app_type: None,
            is_first_party: None,
            endpoint: None,
            methods: None,
            global: None,
        }
    }
}

impl<'de> FieldTaker<'de> for Summary<'de> {
    type Output = Option<ClientSummary>;

    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "client_id" => self.client_id = map.next_value::<Text<'de>>()?.0,
            "name" => self.name = map.next_value::<Text<'de>>()?.0,
            "app_type" => self.app_type = map.next_value::<Text<'de>>()?.0,
            "is_first_party" => self.is_first_party = map.next_value::<Flag>()?.0,
            "token_endpoint_auth_method" => self.endpoint = map.next_value::<Text<'de>>()?.0,
            METHODS_FIELD => self.methods = map.next_value::<FirstName>()?.0,
            "global" => self.global = map.next_value::<Flag>()?.0,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn done(self) -> Option<ClientSummary> {
        Some(ClientSummary {
            client_id: Untrusted::new(&*self.client_id?),
            name: Untrusted::new(self.name.as_deref().unwrap_or_default()),
            app_type: self.app_type.as_deref().map(Untrusted::from),
            is_first_party: self.is_first_party,
            auth: AuthMethod::from_fields(self.endpoint.as_deref(), self.methods.as_deref(), self.methods_visible),
            global: self.global.unwrap_or(false),
        })
    }
}

fn client_of(value: &Value, methods_visible: bool) -> Client {
    let text = |value: &Value| value.as_str().map(Untrusted::from);
    let texts =
        |name: &str| value[name].as_array().map(|all| all.iter().filter_map(text).collect()).unwrap_or_default();
    let methods = value[METHODS_FIELD].as_object().and_then(|methods| methods.keys().next());
    let (jwt, refresh) = (&value["jwt_configuration"], &value["refresh_token"]);
    let metadata = value["client_metadata"].as_object().map(|all| {
        all.iter()
            .map(|(key, value)| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (Untrusted::from(key.as_str()), Untrusted::from(shown))
            })
            .collect()
    });
    Client {
        summary: ClientSummary {
            client_id: text(&value["client_id"]).unwrap_or_default(),
            name: text(&value["name"]).unwrap_or_default(),
            app_type: text(&value["app_type"]),
            is_first_party: value["is_first_party"].as_bool(),
            auth: AuthMethod::from_fields(
                value["token_endpoint_auth_method"].as_str(),
                methods.map(String::as_str),
                methods_visible,
            ),
            global: value["global"].as_bool().unwrap_or(false),
        },
        tenant: text(&value["tenant"]),
        description: text(&value["description"]),
        oidc_conformant: value["oidc_conformant"].as_bool(),
        grant_types: texts("grant_types"),
        callbacks: texts("callbacks"),
        logout_urls: texts("allowed_logout_urls"),
        web_origins: texts("web_origins"),
        allowed_origins: texts("allowed_origins"),
        initiate_login_uri: text(&value["initiate_login_uri"]),
        signing_algorithm: text(&jwt["alg"]),
        id_token_seconds: jwt["lifetime_in_seconds"].as_u64(),
        secret_encoded: jwt["secret_encoded"].as_bool(),
        refresh_rotation: text(&refresh["rotation_type"]),
        refresh_expiration: text(&refresh["expiration_type"]),
        refresh_seconds: refresh["token_lifetime"].as_u64(),
        refresh_idle_seconds: refresh["idle_token_lifetime"].as_u64(),
        organization_usage: text(&value["organization_usage"]),
        cross_origin: value["cross_origin_authentication"].as_bool(),
        metadata: metadata.unwrap_or_default(),
    }
}

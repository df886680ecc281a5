use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use serde::de::{DeserializeSeed as _, IgnoredAny, MapAccess};
use serde_json::Value;
use tokio::time::Instant;

use super::error::{Error, ErrorKind};
use super::lenient::{FieldTaker, Fields, Text, without_lone_surrogates};
use super::pace::{Limit, pause_before_retry};
use super::sight::{self, Sight};
use super::token::{Token, random_hex};
use super::transport::{Answer, ONE};
use super::{Api, Applied};
use crate::domain::{AuthMethod, Client, ClientSummary, Domain, Secret, Untrusted};

/// What RFC 3986 lets stand in a path as it is. Ids like `tpa_…` exist, and a hostile one could hold anything.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the settings ask for beyond what a list does.
const SETTINGS_FIELDS: &str = "tenant,description,oidc_conformant,grant_types,callbacks,allowed_logout_urls,web_origins,\
allowed_origins,initiate_login_uri,jwt_configuration,refresh_token,organization_usage,cross_origin_authentication,client_metadata";

/// What came of reading a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRead {
    /// Here it is.
    Readable(Arc<Secret>),
    /// The answer held none, or it was refused: the token may not see it, or there is none. Never an empty secret.
    NotVisible,
}

impl Api {
    /// A client's settings, without its secret.
    ///
    /// # Errors
    /// As the API refuses or fails.
    pub async fn client(&self, client_id: &str) -> Result<Client, Error> {
        let doing = doing("read the settings of", client_id);
        let mut sight = self.sight().await?;
        loop {
            let more = if sight == Sight::Summary { "description" } else { SETTINGS_FIELDS };
            let query = [("fields", format!("{},{more}", sight.fields()))];
            match self.read(&client_path(client_id), &query, ONE, &doing).await {
                Ok(answer) => {
                    let value: Value = serde_json::from_slice(&answer.body)
                        .ok()
                        .or_else(|| serde_json::from_slice(&without_lone_surrogates(&answer.body)?).ok())
                        .filter(Value::is_object)
                        .ok_or_else(|| Answer::unreadable(&doing, "it is no client", false))?;
                    if value["client_id"].as_str().is_some_and(|id| id != client_id) {
                        return Err(Answer::unreadable(&doing, "it is about another client", false));
                    }
                    return Ok(client_of(&value, sight == Sight::Keys));
                }
                Err(error) => sight = sight.less(error)?,
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
        let url = self.0.transport.url(&format!("{}/rotate-secret", client_path(client_id)));
        let build = |client: &reqwest::Client| client.post(url.clone()).header(CONTENT_LENGTH, "0");
        self.change_secret("rotate the secret of", client_id, correlation_id, build).await
    }

    /// Makes a secret of ours the live one: one `PATCH` that holds nothing else, never sent again by itself, but for a 401 as
    /// with [`Api::rotate_secret`]. Sending it twice would be the same as once. `None`: done, but the answer shows no secret.
    /// Source: OAS `patch_clients_by_id`; `update:client_keys` alone is enough for this field.
    ///
    /// # Errors
    /// [`Error::applied`] says whether it may have been applied.
    pub async fn set_secret(
        &self,
        client_id: &str,
        secret: &Secret,
        correlation_id: &str,
    ) -> Result<Option<Arc<Secret>>, Error> {
        #[derive(serde::Serialize)]
        struct Body<'a> {
            client_secret: &'a str,
        }
        let url = self.0.transport.url(&client_path(client_id));
        // Room from the start: a text that grows leaves copies behind. Escaping may make six bytes of one.
        let mut body = zeroize::Zeroizing::new(Vec::with_capacity(6 * secret.expose().len() + 32));
        // Writing texts into memory does not fail.
        let _ = serde_json::to_writer(&mut *body, &Body { client_secret: secret.expose() });
        let build = |client: &reqwest::Client| {
            client.patch(url.clone()).header(CONTENT_TYPE, "application/json").body(body.to_vec())
        };
        self.change_secret("set the secret of", client_id, correlation_id, build).await
    }

    /// Sends one change of a client's secret.
    async fn change_secret(
        &self,
        what: &str,
        client_id: &str,
        correlation_id: &str,
        build: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Option<Arc<Secret>>, Error> {
        let doing = doing(what, client_id);
        if self.0.read_only {
            return Err(read_only(&doing, self.domain()));
        }
        let mut renewed = false;
        loop {
            let token = self.0.token.get(&self.0.transport).await?;
            let bearer = bearer(&token, &doing)?;
            self.0.pacer.enter().await;
            let request = |client: &reqwest::Client| {
                build(client).header(AUTHORIZATION, bearer).header("x-correlation-id", correlation_id)
            };
            let result = match self.0.transport.change(request, ONE).await {
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

    /// Whether this client's secret is stored here, and must be replaced there when it is rotated.
    #[must_use]
    pub fn keeps_secret_of(&self, client_id: &str) -> bool {
        self.0.keeper.is_some() && self.0.token.signs_in_as(client_id)
    }

    /// Signs in with this secret from now on, if the client is the one that this connection signs in as: it was rotated.
    /// Where that client's secret is stored, the stored one is replaced before this returns; `None`: there is nothing stored,
    /// or it is another client.
    pub async fn adopt_secret(&self, client_id: &str, secret: &Arc<Secret>) -> Option<Result<(), String>> {
        if !self.0.token.signs_in_as(client_id) {
            return None;
        }
        let before = self.0.token.adopt(secret);
        let keeper = Arc::clone(self.0.keeper.as_ref()?);
        let secret = Arc::clone(secret);
        // A keyring may be slow, and may ask its user.
        let kept = tokio::task::spawn_blocking(move || keeper.keep(&secret, before.as_ref())).await;
        Some(kept.unwrap_or_else(|_| Err("storing it broke off".to_owned())))
    }

    /// A correlation id for one mutation: at most 64 characters, found again as `references.correlation_id` in the
    /// tenant's log. Source: Auth0 docs, Management API v2.
    #[must_use]
    pub fn correlation_id() -> String {
        format!("rollover-{}", random_hex())
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
        let (mut attempt, begun) = (0, Instant::now());
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
            pause_before_retry(attempt, begun, error, Limit::Paced).await?;
            attempt += 1;
        }
    }
}

fn doing(what: &str, client_id: &str) -> String {
    format!("{what} client {}", crate::domain::untrusted::shown(client_id))
}

pub(super) fn client_path(client_id: &str) -> String {
    // URL parsers take one dot or two for a folder step, even written as %2E (URL standard, double-dot URL path segment).
    // No client has such an id; encoded twice, it asks for one that is not there.
    let encoded = utf8_percent_encode(client_id, UNRESERVED).to_string();
    let encoded = if matches!(client_id, "." | "..") { encoded.replace('.', "%252E") } else { encoded };
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

fn client_of(value: &Value, methods_visible: bool) -> Client {
    let text = |value: &Value| value.as_str().map(Untrusted::from);
    let texts =
        |name: &str| value[name].as_array().map(|all| all.iter().filter_map(text).collect()).unwrap_or_default();
    let methods = value[sight::METHODS_FIELD].as_object().and_then(|methods| methods.keys().next());
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

/// A change of a tenant on which none may be made: nothing was sent.
fn read_only(doing: &str, domain: &Domain) -> Error {
    Error {
        kind: ErrorKind::Refused,
        applied: Applied::No,
        doing: doing.to_owned(),
        message: format!("{domain} is read-only").into(),
        hint: "It is marked so in config.toml (read_only = true), or by --read-only.".to_owned(),
        status: None,
        error_code: None,
        missing_scopes: Vec::new(),
        correlation_id: None,
        retry_after: None,
    }
}

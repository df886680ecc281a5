use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::Credentials;
use super::claims::Claims;
use super::error::{Applied, Error, ErrorKind};
use super::pace::{Limit, pause_before_retry};
use super::transport::{Answer, ONE, Transport};
use crate::domain::{AssertionAlgorithm, Domain, Secret, Untrusted};

/// A token in use.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: Arc<Secret>,
    pub(super) claims: Claims,
    /// When to get the next one; `None` for one that was given.
    renew_at: Option<Instant>,
}

/// Gets tokens, and renews them before they expire.
pub(super) struct TokenSource {
    credentials: Credentials,
    audience: String,
    /// `aud` of a client assertion: the tenant with a slash at its end. Source: Auth0 docs, private key JWT.
    issuer: String,
    current: Mutex<Option<Token>>,
    /// The secrets to sign in with, the newest first: where this program rotates the very client that it signs in with, the one
    /// before may be taken for some seconds longer.
    secrets: std::sync::Mutex<Vec<Arc<Secret>>>,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

const DOING: &str = "get an access token";

impl TokenSource {
    pub(super) fn new(domain: &Domain, audience: String, credentials: Credentials) -> Result<Self, Error> {
        if let Credentials::PrivateKeyJwt { key_pem, .. } = &credentials {
            EncodingKey::from_rsa_pem(key_pem.expose().as_bytes()).map_err(|_| bad_key())?;
        }
        let secrets = match &credentials {
            Credentials::ClientSecret { secret, previous, .. } => {
                std::iter::once(secret).chain(previous).map(Arc::clone).collect()
            }
            Credentials::Token(_) | Credentials::PrivateKeyJwt { .. } => Vec::new(),
        };
        let (issuer, secrets) = (domain.base().to_string(), std::sync::Mutex::new(secrets));
        Ok(Self { credentials, audience, issuer, current: Mutex::default(), secrets })
    }

    fn secrets(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Secret>>> {
        self.secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether it is this client that signs in, with a secret.
    pub(super) fn signs_in_as(&self, client_id: &str) -> bool {
        matches!(&self.credentials, Credentials::ClientSecret { client_id: own, .. } if own == client_id)
    }

    /// Signs in with this secret from now on; gives the one before, which may be taken for some seconds longer.
    pub(super) fn adopt(&self, secret: &Arc<Secret>) -> Option<Arc<Secret>> {
        let mut secrets = self.secrets();
        secrets.retain(|known| !known.same_as(secret));
        secrets.insert(0, Arc::clone(secret));
        secrets.truncate(2);
        secrets.get(1).cloned()
    }

    /// The client that signs in, where that is how it is done.
    pub(super) fn client_id(&self) -> Option<&str> {
        match &self.credentials {
            Credentials::Token(_) => None,
            Credentials::ClientSecret { client_id, .. } | Credentials::PrivateKeyJwt { client_id, .. } => {
                Some(client_id)
            }
        }
    }

    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    /// Whether a refused token can be replaced.
    pub(super) fn renews(&self) -> bool {
        !matches!(self.credentials, Credentials::Token(_))
    }

    /// A token that is good for now. Callers at the same time share one request for it.
    pub(super) async fn get(&self, transport: &Transport) -> Result<Token, Error> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| token.renew_at.is_none_or(|at| at > Instant::now())) {
            return Ok(token.clone());
        }
        let token = match &self.credentials {
            Credentials::Token(secret) => {
                Token { secret: Arc::clone(secret), claims: Claims::of(secret.expose()), renew_at: None }
            }
            Credentials::ClientSecret { .. } | Credentials::PrivateKeyJwt { .. } => self.fetch(transport).await?,
        };
        Ok(current.insert(token).clone())
    }

    /// Forgets a token that was refused, unless another caller has replaced it already.
    pub(super) async fn refused(&self, token: &Token) {
        let mut current = self.current.lock().await;
        current.take_if(|known| known.secret.same_as(&token.secret));
    }

    async fn fetch(&self, transport: &Transport) -> Result<Token, Error> {
        let url = transport.url("/oauth/token");
        let begun = tokio::time::Instant::now();
        let secrets = self.secrets().clone();
        let mut candidates = secrets.iter();
        let mut secret = candidates.next();
        for attempt in 0.. {
            let form = self.form(secret)?;
            let sent = transport.read(|client| client.post(url.clone()).form(&form), ONE).await;
            drop(form);
            let result = match sent {
                Ok(answer) => answer.accept(DOING, false).map_err(Answer::nowhere),
                Err(failure) => Err(failure.into_error(DOING, false)),
            };
            match result {
                Ok(answer) => return token_of(&answer),
                Err(error) if error.kind == ErrorKind::Unauthorized && candidates.len() > 0 => {
                    secret = candidates.next();
                }
                Err(error) => pause_before_retry(attempt, begun, self.fitting(error), Limit::Other).await?,
            }
        }
        Err(Answer::unreadable(DOING, "no answer", false))
    }

    /// What to look at where Auth0 refuses who signs in: there is no token yet that could have expired.
    fn fitting(&self, error: Error) -> Error {
        if error.kind != ErrorKind::Unauthorized {
            return error;
        }
        let hint = match &self.credentials {
            Credentials::Token(_) => return error,
            Credentials::ClientSecret { .. } => {
                "Auth0 refused the client id or its client secret: check both, and the domain."
            }
            Credentials::PrivateKeyJwt { .. } => {
                "Auth0 refused the client id or what is signed with its key: check both, the algorithm, the domain, and this \
                 machine's clock."
            }
        };
        Error { hint: hint.to_owned(), ..error }
    }

    fn form<'a>(&'a self, secret: Option<&'a Arc<Secret>>) -> Result<Vec<(&'static str, FormValue<'a>)>, Error> {
        use FormValue::{Plain, Private};
        let mut form = vec![("grant_type", Plain("client_credentials")), ("audience", Plain(&self.audience))];
        match &self.credentials {
            Credentials::Token(_) => {}
            Credentials::ClientSecret { client_id, .. } => {
                form.push(("client_id", Plain(client_id)));
                form.extend(secret.map(|secret| ("client_secret", Plain(secret.expose()))));
            }
            Credentials::PrivateKeyJwt { client_id, key_pem, algorithm } => {
                form.push(("client_id", Plain(client_id)));
                form.push(("client_assertion_type", Plain("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")));
                form.push(("client_assertion", Private(assertion(client_id, key_pem, *algorithm, &self.issuer)?)));
            }
        }
        Ok(form)
    }
}

enum FormValue<'a> {
    Plain(&'a str),
    Private(zeroize::Zeroizing<String>),
}

impl Serialize for FormValue<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Private(text) => serializer.serialize_str(text),
        }
    }
}

fn token_of(answer: &Answer) -> Result<Token, Error> {
    let granted: Granted = serde_json::from_slice(&answer.body)
        .map_err(|_| Answer::unreadable(DOING, "it holds no access token", false))?;
    let claims = Claims::of(&granted.access_token);
    // Renewed a minute early, or a tenth of its life if that is less: clocks differ, requests take time.
    let life = Duration::from_secs(granted.expires_in.unwrap_or(3600).min(30 * 86_400));
    let early = Duration::from_mins(1).min(life / 10);
    let renew_at = Some(Instant::now() + life.saturating_sub(early));
    Ok(Token { secret: Arc::new(Secret::new(granted.access_token)), claims, renew_at })
}

fn assertion(
    client_id: &str,
    key_pem: &Secret,
    algorithm: AssertionAlgorithm,
    issuer: &str,
) -> Result<zeroize::Zeroizing<String>, Error> {
    let algorithm = match algorithm {
        AssertionAlgorithm::Rs256 => Algorithm::RS256,
        AssertionAlgorithm::Rs384 => Algorithm::RS384,
        AssertionAlgorithm::Ps256 => Algorithm::PS256,
    };
    let key = EncodingKey::from_rsa_pem(key_pem.expose().as_bytes()).map_err(|_| bad_key())?;
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let claims = Assertion { iss: client_id, sub: client_id, aud: issuer, iat: now, exp: now + 60, jti: random_hex() };
    jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).map(zeroize::Zeroizing::new).map_err(|_| bad_key())
}

fn bad_key() -> Error {
    Error {
        kind: ErrorKind::Unauthorized,
        applied: Applied::No,
        doing: "sign in with the private key".to_owned(),
        message: Untrusted::from("the key is no RSA private key in PEM form"),
        hint: "It must be PEM text that begins with -----BEGIN, not encrypted, or the path of a file with it (--private-key, \
               AUTH0_CLIENT_ASSERTION_PRIVATE_KEY)."
            .to_owned(),
        status: None,
        error_code: None,
        missing_scopes: Vec::new(),
        correlation_id: None,
        retry_after: None,
    }
}

/// 32 hexadecimal digits from the operating system's random source.
pub(super) fn random_hex() -> String {
    let mut bytes = [0; 16];
    // aws-lc aborts rather than fail here; an all-zero id would merely be a poor one.
    let _ = rand::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

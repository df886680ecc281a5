//! Faults from a scenario file: which requests they spoil, when, and how.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use super::connection::Wire;

/// What goes wrong, in the order of the file; the first fault that fits a request spoils it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The faults.
    #[serde(default)]
    fault: Vec<Fault>,
}

/// Why a scenario cannot be used: names the place and what was expected.
#[derive(Debug)]
pub struct ScenarioError(String);

impl std::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// From the text of a scenario file.
    ///
    /// # Errors
    /// Line, field, and what was expected.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError(error.to_string().trim().to_owned()))?;
        for (number, fault) in scenario.fault.iter().enumerate() {
            fault.check().map_err(|why| ScenarioError(format!("fault {}: {why}", number + 1)))?;
        }
        Ok(scenario)
    }

    /// From a file.
    ///
    /// # Errors
    /// The file, the line, the field, and what was expected.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| ScenarioError(format!("{}: {error}", path.display())))?;
        Self::from_toml(&text).map_err(|error| ScenarioError(format!("{}: {error}", path.display())))
    }
}

/// Whether the change is applied before it goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum When {
    /// Nothing was applied.
    Before,
    /// It was applied; the answer is spoilt.
    #[default]
    After,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    /// In order, with a FIN.
    Fin,
    /// By a RST.
    Reset,
}

/// One fault: the requests it fits, and what happens to them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fault {
    method: Option<String>,
    path: Option<String>,
    /// Leaves alone the first so many requests that fit.
    skip: u64,
    /// Spoils at most so many; without it, all.
    times: Option<u64>,
    when: When,
    delay_ms: Option<u64>,
    /// Never answers.
    hang: bool,
    /// Answers only once other faults are played.
    pub(super) held: bool,
    /// Ends the connection without an answer.
    drop: Option<End>,
    /// Ends the connection after so many bytes of the answer.
    cut: Option<u32>,
    status: Option<u16>,
    body: Option<String>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    redirect: Option<String>,
    content_length: Option<u64>,
    /// Sets fields of a JSON answer; TOML has no null, so the text "null" stands for it.
    set: BTreeMap<String, toml::Value>,
    /// Removes fields of a JSON answer.
    remove: Vec<String>,
    /// Writes a field into the JSON answer once more.
    repeat: Option<String>,
    /// Fills the answer up to so many bytes of blanks.
    pad_bytes: Option<usize>,
    /// Nests the answer so deep in arrays.
    nest: Option<usize>,
    /// Reads show the old secret for so long.
    pub(super) stale_seconds: Option<u64>,
    /// Lets the request arrive so much later: the answer is about a request that is still under way.
    pub(super) late_ms: Option<u64>,
    /// Applies the change twice.
    pub(super) twice: bool,
    /// Somebody else rotates the client first.
    pub(super) other_actor: bool,
    /// Ignores `from` and `take`, as a server without checkpoint paging does.
    pub(super) no_checkpoint: bool,
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        if let Some(status) = self.status
            && !(200..=599).contains(&status)
        {
            return Err(format!("status = {status}: expected 200 to 599"));
        }
        for (name, value) in &self.headers {
            HeaderName::try_from(name).map_err(|_| format!("headers: `{name}` is no header name"))?;
            HeaderValue::try_from(value).map_err(|_| format!("headers.{name}: not a header value"))?;
        }
        if self.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            return Err("path: expected a path that begins with /; * stands for any part of it".to_owned());
        }
        Ok(())
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|pattern| glob(pattern, path))
    }

    pub(super) fn is_before(&self) -> bool {
        self.when == When::Before
    }

    /// Spoils an answer.
    pub(super) async fn spoil(&self, mut response: Response, wire: &Wire) -> Response {
        if let Some(delay) = self.delay_ms {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if self.hang {
            std::future::pending::<()>().await;
        }
        if let Some(end) = self.drop {
            wire.break_after(0, end == End::Reset);
            return response;
        }
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            *response.status_mut() = status;
        }
        if let Some(body) = &self.body {
            replace_body(&mut response, body.clone().into_bytes());
        }
        if !self.set.is_empty()
            || !self.remove.is_empty()
            || self.repeat.is_some()
            || self.nest.is_some()
            || self.pad_bytes.is_some()
        {
            self.edit_body(&mut response).await;
        }
        if let Some(target) = &self.redirect {
            if self.status.is_none() {
                *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            }
            set_header(&mut response, "location", target);
        }
        if let Some(kind) = &self.content_type {
            set_header(&mut response, "content-type", kind);
        }
        for (name, value) in &self.headers {
            set_header(&mut response, name, value);
        }
        if let Some(bytes) = self.cut {
            wire.break_after(bytes, false);
        }
        if let Some(length) = self.content_length {
            // hyper would refuse a length that is wrong: the answer is streamed, and the header stands beside it.
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            let stream = futures_util::stream::once(async move { Ok::<_, std::io::Error>(bytes) });
            response = Response::from_parts(parts, Body::from_stream(stream));
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }

    async fn edit_body(&self, response: &mut Response) {
        let body = std::mem::take(response.body_mut());
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let mut value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            for name in &self.remove {
                fields.remove(name);
            }
            for (name, new) in &self.set {
                let new = if new.as_str() == Some("null") {
                    Value::Null
                } else {
                    serde_json::to_value(new).unwrap_or_default()
                };
                fields.insert(name.clone(), new);
            }
        }
        let mut text = value.to_string();
        if let Some(name) = &self.repeat
            && text.starts_with('{')
        {
            text.insert_str(1, &format!("{}:\"first of two\",", Value::from(name.as_str())));
        }
        if let Some(depth) = self.nest {
            text = format!("{}{text}{}", "[".repeat(depth), "]".repeat(depth));
        }
        if let Some(size) = self.pad_bytes {
            text.push_str(&" ".repeat(size.saturating_sub(text.len())));
        }
        replace_body(response, text.into_bytes());
    }
}

fn replace_body(response: &mut Response, bytes: Vec<u8>) {
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(bytes);
}

fn set_header(response: &mut Response, name: &str, value: &str) {
    // Checked when the scenario was read.
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            let Some(rest) = text.strip_prefix(before) else { return false };
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| glob(after, &rest[at..]))
        }
    }
}

/// The faults, and how often each has found a request.
pub(super) struct Faults {
    all: Mutex<Vec<(Fault, u64)>>,
    /// Tells those that are held that others are played.
    played: watch::Sender<()>,
}

impl Faults {
    pub(super) fn new(scenario: Option<Scenario>) -> Self {
        let faults = Self { all: Mutex::default(), played: watch::Sender::new(()) };
        faults.play(scenario.unwrap_or_default());
        faults
    }

    /// Other faults from now on.
    pub(super) fn play(&self, scenario: Scenario) {
        *self.all() = scenario.fault.into_iter().map(|fault| (fault, 0)).collect();
        self.played.send_replace(());
    }

    /// Ends when other faults are played than those that are now.
    pub(super) fn others(&self) -> impl Future<Output = ()> + use<> {
        let mut played = self.played.subscribe();
        async move {
            // Where the tenant itself has ended nobody waits for an answer.
            let _ = played.changed().await;
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<(Fault, u64)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that spoils this request.
    pub(super) fn of(&self, method: &str, path: &str) -> Option<Fault> {
        for (fault, found) in self.all().iter_mut().filter(|(fault, _)| fault.fits(method, path)) {
            *found += 1;
            if *found > fault.skip && fault.times.is_none_or(|times| *found <= fault.skip + times) {
                return Some(fault.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_scenario_says_where_and_what() {
        let error = |text: &str| Scenario::from_toml(text).expect_err(text).to_string();
        let unknown = error("[[fault]]\nmethod = \"GET\"\nstatsu = 500\n");
        assert!(unknown.contains("line 3") && unknown.contains("statsu"), "{unknown}");
        assert!(error("[[fault]]\nstatus = 99\n").contains("fault 1: status = 99"));
        assert!(error("[[fault]]\nwhen = \"later\"\n").contains("before"));
        assert!(error("[[fault]]\npath = \"api\"\n").contains("begins with /"));
    }

    #[test]
    fn faults_fit_by_method_and_path_and_count() {
        let text = "[[fault]]\nmethod = \"post\"\npath = \"/api/v2/clients/*/rotate-secret\"\nskip = 1\ntimes = 1\nstatus = 502\n";
        let faults = Faults::new(Some(Scenario::from_toml(text).expect("a scenario")));
        let path = "/api/v2/clients/abc/rotate-secret";
        assert!(faults.of("GET", path).is_none());
        assert!(faults.of("POST", "/api/v2/clients/abc").is_none());
        assert!(faults.of("POST", path).is_none(), "the first is left alone");
        assert!(faults.of("POST", path).is_some());
        assert!(faults.of("POST", path).is_none(), "one time only");
    }
}

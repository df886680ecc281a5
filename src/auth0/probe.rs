use super::Api;
use super::transport::ONE;
use crate::domain::rotation::Probe;
use crate::domain::{AuthMethod, Secret};

impl Api {
    /// Asks the token endpoint, once, what it thinks of a secret: 200 or 403 means accepted (403: no grant for the
    /// Management API, but the client is who it says), 401 rejected. Each such request is an event in the tenant's log.
    /// Source: Auth0 docs, client credentials flow; RFC 6749, 5.2.
    pub async fn probe(&self, client_id: &str, secret: &Secret, auth: &AuthMethod) -> Probe {
        if let Some(why) = auth.instead_of_secret() {
            return Probe::Unknown(why);
        }
        let url = self.0.transport.url("/oauth/token");
        let audience = self.0.token.audience();
        let mut form = vec![("grant_type", "client_credentials"), ("audience", audience)];
        let basic = *auth == AuthMethod::SecretBasic;
        if !basic {
            form.extend([("client_id", client_id), ("client_secret", secret.expose())]);
        }
        let build = |client: &reqwest::Client| {
            let request = client.post(url).form(&form);
            if basic { request.basic_auth(client_id, Some(secret.expose())) } else { request }
        };
        match self.0.transport.read(build, ONE).await {
            Ok(answer) => match answer.status {
                200 | 403 => Probe::Accepted,
                401 => Probe::Rejected,
                status => Probe::Unknown(format!("the token endpoint answered HTTP {status}")),
            },
            Err(failure) => Probe::Unknown(format!("the token endpoint was not reached: {}", failure.message)),
        }
    }
}

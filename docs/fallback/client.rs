//! Gets a token with whichever of two secrets Auth0 accepts; for each line on stdin, another one.
use std::error::Error;
use std::io::Write as _;

use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;

/// Both secrets, in the order in which they are tried. An empty fallback is none.
fn read() -> Result<Vec<String>, Box<dyn Error>> {
    let held: Value = serde_json::from_str(&std::fs::read_to_string(std::env::var("SECRETS_FILE")?)?)?;
    let both =
        ["AUTH0_CLIENT_SECRET", "AUTH0_CLIENT_SECRET_FALLBACK"].map(|key| held[key].as_str().unwrap_or_default());
    Ok(both.into_iter().filter(|secret| !secret.is_empty()).map(str::to_owned).collect())
}

async fn token(client: &reqwest::Client, secrets: &mut Vec<String>) -> Result<String, Box<dyn Error>> {
    let url = format!("{}/oauth/token", std::env::var("AUTH0_ISSUER_BASE_URL")?);
    let (client_id, audience) = (std::env::var("AUTH0_CLIENT_ID")?, std::env::var("AUTH0_AUDIENCE")?);
    let mut tried: Vec<String> = Vec::new();
    // When none is accepted, the file is read again: what was delivered meanwhile is in there.
    for again in [false, true] {
        let all = if again { read()? } else { secrets.clone() };
        for secret in &all {
            if tried.contains(secret) {
                continue;
            }
            tried.push(secret.clone());
            let body = json!({
                "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "audience": audience
            });
            let answer = client.post(&url).json(&body).send().await?;
            if answer.status() == 401 {
                continue; // Not this one.
            }
            let answer: Value = answer.error_for_status()?.json().await?;
            // The one that worked is tried first from now on.
            *secrets = std::iter::once(secret).chain(all.iter().filter(|one| *one != secret)).cloned().collect();
            return Ok(answer["access_token"].as_str().unwrap_or_default().to_owned());
        }
    }
    Err(format!("Auth0 accepts no secret in {}", std::env::var("SECRETS_FILE")?).into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = reqwest::Client::new();
    let mut secrets = read()?;
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    loop {
        token(&client, &mut secrets).await?;
        writeln!(std::io::stdout(), "got a token")?;
        if lines.next_line().await?.is_none() {
            return Ok(());
        }
    }
}

use std::io;

use super::Ended;
use super::arguments::{Copy, Global};
use super::exit::{Failure, code};
use super::output::{Output, say};
use super::pick::pick;
use super::session::Session;
use super::show::{called, not_visible};
use crate::auth0::SecretRead;
use crate::clipboard::{Route, copy_secret};

/// Copies a client's current secret.
pub async fn run(global: &Global, copy: &Copy) -> Ended {
    let session = Session::open(global).await?;
    let output = Output::new(false);
    let client = pick(&session.api, &copy.client, &output, &mut None).await?;
    let id = client.summary.client_id.raw();
    let secret = match session.api.client_secret(id).await {
        Ok(SecretRead::Readable(secret)) => secret,
        Ok(SecretRead::NotVisible) => return Err(not_visible(&session.api, &client).await),
        Err(error) => return Err(Failure::from(error).about(id)),
    };
    let copied = copy_secret(&secret, &mut io::stdout()).await.map_err(|error| {
        Failure::failed(
            "clipboard",
            format!("could not copy the secret of “{}”: {error}", called(&client)),
            "`rollover show --reveal` prints it.",
        )
        .about(id)
    })?;
    let what = format!("The secret of “{}” ({})", called(&client), client.summary.client_id.shown());
    let mut text = match (copied.route, copied.clears_after) {
        (Route::Display, Some(wait)) => format!("{what} is in the clipboard; it is cleared in {} s.", wait.as_secs()),
        (Route::Display, None) => format!("{what} is in the clipboard."),
        // Nobody is left to clear it: a sequence that is written later could land in the middle of another program's.
        (Route::Terminal { .. }, _) => format!(
            "{what} was sent to the terminal's clipboard (OSC 52), where nothing clears it: copy something else after use."
        ),
    };
    if let Some(notice) = copied.notice {
        text = format!("{text} {notice}");
    }
    say(&text);
    Ok(code::DONE)
}

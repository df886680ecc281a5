use std::time::Duration;

use rollover::domain::Environment;
use rollover::tui::app::event::Event;

use super::app::App;
use super::{BILLING, SIZES, assert_screen, tenant};

async fn opened(tenant: &rollover::sim::Running, token: &str, size: (u16, u16)) -> App {
    let mut app = App::on(tenant, token, Some(Environment::Staging), size);
    app.fixed.push((tenant.client_id().into(), "RolloverRolloverRolloverRollover".into()));
    app.idle().await;
    app.type_("/billing api<enter><enter>").await;
    app
}

#[tokio::test]
async fn settings_stand_in_the_dashboards_order() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = opened(&tenant, tenant.token(), size).await;
        assert_screen!(app, "pane", size);
        let screen = app.screen();
        let place = |label: &str| screen.find(label).unwrap_or_else(|| panic!("no {label} on:\n{screen}"));
        let labels = [
            "│ Name",
            "│ Domain",
            "│ Client ID",
            "│ Client Secret",
            "Reveal client secret",
            "│ Description",
            "│ Type",
            "│ Authentication",
        ];
        assert!(labels.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{screen}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_when_asked_for_and_hidden_again() {
    for size in SIZES {
        let tenant = tenant().await;
        let secret = tenant.secret_of(BILLING).expect("a secret");
        let mut app = opened(&tenant, tenant.token(), size).await;
        let shows = |app: &mut App| {
            let screen = app.screen();
            let text: String = screen.chars().filter(|c| !c.is_whitespace() && *c != '│').collect();
            // A narrow pane breaks the secret over lines: its parts are looked for.
            secret.as_bytes().chunks(8).filter(|part| text.contains(std::str::from_utf8(part).expect("ASCII"))).count()
                > 3
        };
        assert!(!shows(&mut app));
        app.type_("v").await;
        assert!(shows(&mut app), "{}", app.screen());
        let left = |seconds: u32| {
            let words = if size.0 == 80 { "hides in " } else { "" };
            format!("[x] Reveal client secret  {words}{seconds} s")
        };
        assert!(app.screen().contains(&left(30)), "{}", app.screen());
        app.advance(Duration::from_secs(12));
        assert!(app.screen().contains(&left(18)), "{}", app.screen());
        app.advance(Duration::from_secs(18));
        assert!(!shows(&mut app), "it hides by itself");
        app.click("[ ] Reveal");
        app.idle().await;
        assert!(shows(&mut app), "the box reveals too");
        app.send(Event::FocusLost);
        assert!(!shows(&mut app), "it hides without focus");
        app.type_("v<esc>").await;
        assert!(!shows(&mut app), "it hides on leaving");
    }
}

#[tokio::test]
async fn the_mask_tells_nothing_of_the_length() {
    let tenant = tenant().await;
    let mut app = opened(&tenant, tenant.token(), (120, 36)).await;
    assert_eq!(app.screen().matches('•').count(), 24);
    assert_eq!(rollover::tui::view::screen::pane::MASK.chars().count(), 24);
}

#[tokio::test]
async fn copies_are_what_they_say_and_nothing_is_shown() {
    let tenant = tenant().await;
    let secret = tenant.secret_of(BILLING).expect("a secret");
    let mut app = opened(&tenant, tenant.token(), (120, 36)).await;
    for key in ["c", "i", "e", "u"] {
        app.type_(key).await;
    }
    let copies = app.copies.lock().expect("no panic").clone();
    let texts: Vec<_> = copies.iter().map(|(text, is_secret)| (text.as_str(), *is_secret)).collect();
    let [id, curl, plain, env] = sorted(&texts);
    assert_eq!(id, (BILLING, false));
    assert!(curl.0.starts_with("curl ") && curl.0.contains("$AUTH0_API_TOKEN") && !curl.1, "{}", curl.0);
    assert!(!curl.0.contains(tenant.token()) && !curl.0.contains(&secret));
    assert_eq!(plain, (secret.as_str(), true));
    assert!(env.0.contains(&format!("AUTH0_CLIENT_SECRET={secret}\n")) && env.1, "an .env line with the secret");
    assert!(!app.screen().contains(&secret));
    assert!(app.screen().contains("copied to the clipboard"), "{}", app.screen());
}

/// Replies come in any order: id, curl, secret, env.
fn sorted<'a>(texts: &[(&'a str, bool)]) -> [(&'a str, bool); 4] {
    let find = |wanted: &dyn Fn(&str, bool) -> bool| {
        *texts
            .iter()
            .find(|(text, is_secret)| wanted(text, *is_secret))
            .unwrap_or_else(|| panic!("{} copies", texts.len()))
    };
    [
        find(&|text, is_secret| !is_secret && !text.starts_with("curl")),
        find(&|text, _| text.starts_with("curl")),
        find(&|text, is_secret| is_secret && !text.contains('=')),
        find(&|text, is_secret| is_secret && text.contains("AUTH0_CLIENT_SECRET=")),
    ]
}

#[tokio::test]
async fn without_the_scopes_the_reason_is_said_and_nothing_is_sent() {
    for size in SIZES {
        let tenant = tenant().await;
        let token = tenant.mint_token("read:clients", Duration::from_mins(10));
        let mut app = opened(&tenant, &token, size).await;
        assert_screen!(app, "pane-without-scopes", size);
        let before = tenant.requests().len();
        app.type_("r").await;
        assert!(app.screen().contains("lacks update:client_keys"), "{}", app.screen());
        app.type_("vc").await;
        assert_eq!(tenant.requests().len(), before, "what cannot work is not tried");
    }
}

#[tokio::test]
async fn the_next_client_is_one_key_away() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    app.type_("<enter>]").await;
    assert!(app.screen().contains("╭─ All Applications"), "{}", app.screen());
    app.type_("[").await;
    assert!(app.screen().contains("╭─ Agent Directory"), "{}", app.screen());
}

#[tokio::test]
async fn settings_that_cannot_be_read_say_why() {
    for size in SIZES {
        let tenant = super::faulty(&format!("[[fault]]\nmethod = \"GET\"\npath = \"/api/v2/clients/{BILLING}\"\nstatus = 404\nbody = '{{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"The client does not exist\",\"errorCode\":\"inexistent_client\"}}'\n")).await;
        let mut app = opened(&tenant, tenant.token(), size).await;
        assert_screen!(app, "pane-failed", size);
    }
}

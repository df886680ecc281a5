use std::time::Duration;

use rollover::domain::Environment;
use rollover::sim::Scenario;
use rollover::tui::app::event::Event;

use super::app::App;
use super::{BILLING, SIZES, assert_screen, faulty, tenant};

const ROTATE: &str = "path = \"/api/v2/clients/*/rotate-secret\"\n";

async fn asked(tenant: &rollover::sim::Running, environment: Option<Environment>, size: (u16, u16)) -> App {
    let mut app = App::on(tenant, tenant.token(), environment, size);
    app.idle().await;
    app.type_("/billing api<enter><enter>").await;
    app.press("r<enter>");
    app
}

fn posts(tenant: &rollover::sim::Running) -> usize {
    tenant
        .requests()
        .iter()
        .filter(|request| request.method == "POST" && request.path.ends_with("/rotate-secret"))
        .count()
}

#[tokio::test]
async fn the_main_job_from_the_table_to_a_copied_new_secret() {
    for size in SIZES {
        let tenant = tenant().await;
        let old = tenant.secret_of(BILLING).expect("a secret");
        let mut app = asked(&tenant, Some(Environment::Development), size).await;
        assert!(!app.screen().contains("rotate now"), "what is not heard yet is not offered: {}", app.screen());
        app.advance(Duration::from_millis(300));
        assert_screen!(app, "question", size);
        app.type_("y").await;
        let new = tenant.secret_of(BILLING).expect("a secret");
        assert_ne!(new, old);
        assert_eq!(posts(&tenant), 1);
        assert_screen!(app, "rotated", size);
        assert!(!app.screen().contains(&new), "the new secret is masked at first");
        app.type_("v").await;
        assert!(app.screen().contains(&new), "v reveals it:\n{}", app.screen());
        app.type_("v").await;
        assert!(!app.screen().contains(&new), "v hides it");
        app.type_("c").await;
        assert_eq!(app.copies.lock().expect("no panic").as_slice(), [(new, true)]);
    }
}

#[tokio::test]
async fn the_first_moments_are_deaf_and_a_paste_is_no_answer() {
    let tenant = tenant().await;
    let mut app = asked(&tenant, None, (80, 24)).await;
    app.type_("y<enter>").await;
    app.advance(Duration::from_millis(299));
    app.type_("y").await;
    app.send(Event::Pasted("y\n".into()));
    app.advance(Duration::from_millis(1));
    app.send(Event::Pasted("y\n".into()));
    app.type_("<enter><enter>").await;
    assert_eq!(posts(&tenant), 0);
    assert!(app.screen().contains("Rotate the client secret?"));
    app.type_("n").await;
    assert!(!app.screen().contains("Rotate the client secret?"));
    assert_eq!(posts(&tenant), 0);
}

#[tokio::test]
async fn production_asks_for_the_name() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = asked(&tenant, Some(Environment::Production), size).await;
        app.advance(Duration::from_millis(300));
        app.type_("y<enter>").await;
        assert_eq!(posts(&tenant), 0);
        app.type_("<c-u>Billing").await;
        assert_screen!(app, "question-production", size);
        app.type_("<enter>").await;
        assert_eq!(posts(&tenant), 0, "half a name is not the name");
        app.type_(" API<enter>").await;
        assert_eq!(posts(&tenant), 1);
    }
}

#[tokio::test]
async fn esc_leaves_it_running_and_it_is_seen_from_anywhere() {
    let tenant = faulty(&format!("[[fault]]\n{ROTATE}held = true\n")).await;
    let mut app = asked(&tenant, None, (120, 36)).await;
    app.advance(Duration::from_millis(300));
    app.press("y");
    app.until("Asking Auth0 for a new secret").await;
    app.press("<esc>");
    assert!(app.screen().contains("rotating Billing API"), "{}", app.screen());
    app.press("<esc>g");
    assert!(app.screen().contains("rotating Billing API"), "from the table too");
    app.press("q");
    assert!(app.screen().contains("Something is under way"), "{}", app.screen());
    app.press("n");
    tenant.play(Scenario::default());
    app.idle().await;
    assert!(app.screen().contains("Billing API: Rotated"), "the end is told: {}", app.screen());
    app.press("o<enter>");
    assert!(app.screen().contains("New secret"), "{}", app.screen());
}

#[tokio::test]
async fn a_refusal_says_that_nothing_changed() {
    for size in SIZES {
        let body = r#"body = '{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached","errorCode":"too_many_requests"}'"#;
        let tenant = faulty(&format!("[[fault]]\n{ROTATE}when = \"before\"\nstatus = 429\n{body}\n")).await;
        let old = tenant.secret_of(BILLING);
        let mut app = asked(&tenant, None, size).await;
        app.fixed_correlation();
        app.advance(Duration::from_millis(300));
        app.type_("y").await;
        assert_screen!(app, "not-rotated", size);
        assert_eq!(tenant.secret_of(BILLING), old);
        assert_eq!(posts(&tenant), 1, "it is not sent again");
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading() {
    for size in SIZES {
        let tenant = faulty(&format!("[[fault]]\n{ROTATE}when = \"after\"\ndrop = \"reset\"\n")).await;
        let mut app = asked(&tenant, None, size).await;
        app.fixed_correlation();
        app.advance(Duration::from_millis(300));
        app.type_("y").await;
        assert_screen!(app, "in-doubt-changed", size);
        assert_eq!(posts(&tenant), 1, "it is not sent again");
        app.type_("c").await;
        let new = tenant.secret_of(BILLING).expect("a secret");
        assert_eq!(app.copies.lock().expect("no panic").as_slice(), [(new, true)], "the live one is copied");
    }
}

#[tokio::test]
async fn a_doubt_that_stays_says_so_and_can_be_looked_into_again() {
    for size in SIZES {
        let tenant = faulty(&format!(
            "[[fault]]\n{ROTATE}when = \"before\"\nstatus = 502\nbody = \"<html>Bad gateway</html>\"\n"
        ))
        .await;
        let old = tenant.secret_of(BILLING);
        let mut app = asked(&tenant, None, size).await;
        app.fixed_correlation();
        app.advance(Duration::from_millis(300));
        app.type_("y").await;
        assert_screen!(app, "in-doubt-unchanged", size);
        assert_eq!((tenant.secret_of(BILLING), posts(&tenant)), (old, 1));
        app.type_("R").await;
        assert!(app.screen().contains("In doubt"), "{}", app.screen());
        assert_eq!(posts(&tenant), 1, "looking again sends nothing");
        app.press("A");
        app.advance(Duration::from_millis(300));
        app.type_("y").await;
        assert!(app.screen().contains("Given up"), "{}", app.screen());
    }
}

#[tokio::test]
async fn without_read_access_a_lost_answer_cannot_be_settled_and_that_is_said_before() {
    let tenant = faulty(&format!("[[fault]]\n{ROTATE}when = \"after\"\nstatus = 504\nbody = \"\"\n")).await;
    let token = tenant.mint_token("read:clients update:client_keys", Duration::from_mins(10));
    let mut app = App::on(&tenant, &token, None, (80, 24));
    app.idle().await;
    app.type_("/billing api<enter><enter>").await;
    app.press("r<enter>");
    assert!(app.screen().contains("lacks read:client_keys"), "{}", app.screen());
    app.advance(Duration::from_millis(300));
    app.type_("y").await;
    assert!(app.screen().contains("look again"), "{}", app.screen());
    assert_eq!(posts(&tenant), 1);
}

#[tokio::test]
async fn warnings_stand_where_they_matter() {
    let tenant = tenant().await;
    for (filter, warning) in [
        ("legacy", "signed with this secret (HS256)"),
        ("shop frontend", "public client"),
        ("all applications", "global client"),
        ("this program", "rollover itself signs in"),
    ] {
        let mut app = App::on(&tenant, tenant.token(), None, (120, 36));
        app.idle().await;
        app.type_(&format!("/{filter}<enter><enter>")).await;
        app.press("r<enter>");
        let text = app.screen().replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(warning), "{filter}: {}", app.screen());
    }
}

#[tokio::test]
async fn a_client_with_a_key_cannot_be_rotated_and_that_is_said() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        app.type_("/payments gateway<enter><enter>").await;
        assert_screen!(app, "pane-private-key", size);
        app.type_("r").await;
        assert!(!app.screen().contains("Rotate the client secret?"));
        assert!(app.screen().contains("Private Key JWT"));
    }
}

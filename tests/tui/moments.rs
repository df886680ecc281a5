//! What is on screen for a moment, or in the middle of something.
use std::time::Duration;

use rollover::domain::Environment;
use rollover::sim::{self, Options, Population, Scenario};
use rollover::tui::app::event::Event;

use super::app::App;
use super::{BILLING, SIZES, assert_screen, faulty, tenant};

const ROTATE: &str = "path = \"/api/v2/clients/*/rotate-secret\"\n";

async fn asked(tenant: &sim::Running, token: &str, filter: &str, size: (u16, u16)) -> App {
    let mut app = App::on(tenant, token, Some(Environment::Staging), size);
    app.fixed.push((tenant.client_id().into(), "RolloverRolloverRolloverRollover".into()));
    app.idle().await;
    app.type_(&format!("/{filter}<enter><enter>")).await;
    app.press("r<enter>");
    app.advance(Duration::from_millis(300));
    app
}

#[tokio::test]
async fn a_rotation_that_is_under_way_shows_how_far_it_is_and_quitting_asks() {
    for size in SIZES {
        let tenant = faulty(&format!("[[fault]]\n{ROTATE}hang = true\n")).await;
        let mut app = asked(&tenant, tenant.token(), "billing api", size).await;
        app.press("y");
        app.until("Asking Auth0 for a new secret").await;
        super::rollover::fix(&mut app);
        assert_screen!(app, "rotating", size);
        app.press("<esc>");
        assert_screen!(app, "rotating-elsewhere", size);
        app.press("q");
        assert_screen!(app, "quit-question", size);
    }
}

#[tokio::test]
async fn the_rollovers_are_listed() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = asked(&tenant, tenant.token(), "billing api", size).await;
        app.type_("y").await;
        app.type_("<esc><esc><esc>").await;
        app.type_("/checkout<enter><enter>").await;
        app.press("r<enter>");
        app.advance(Duration::from_millis(300));
        app.type_("y").await;
        app.press("<esc>o");
        assert_screen!(app, "rollovers", size);
    }
}

#[tokio::test]
async fn a_revealed_secret_stands_on_as_few_lines_as_can_be() {
    for size in SIZES {
        let tenant = tenant().await;
        let secret = tenant.secret_of(BILLING).expect("a secret");
        let mut app = asked(&tenant, tenant.token(), "billing api", size).await;
        app.type_("nv").await;
        let shown = "Secret".repeat(11)[..64].to_owned();
        // A narrow pane breaks it after 54 cells.
        let (first, second) = (secret[..54].to_owned(), secret[54..].to_owned());
        app.fixed.extend([(secret, shown.clone()), (first, shown[..54].into()), (second, shown[54..].into())]);
        assert_screen!(app, "revealed", size);
    }
}

#[tokio::test]
async fn a_doubt_that_nobody_can_settle_says_so() {
    for size in SIZES {
        let tenant = faulty(&format!("[[fault]]\n{ROTATE}when = \"after\"\nstatus = 504\nbody = \"\"\n")).await;
        let token = tenant.mint_token("read:clients update:client_keys", Duration::from_mins(10));
        let mut app = asked(&tenant, &token, "billing api", size).await;
        app.fixed_correlation();
        app.type_("y").await;
        assert_screen!(app, "in-doubt-unknown", size);
    }
}

#[tokio::test]
async fn a_wait_for_the_rate_limit_is_said() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.fixed.push((tenant.client_id().into(), "RolloverRolloverRolloverRollover".into()));
        app.idle().await;
        app.send(Event::Paced(Some(Duration::from_secs(7))));
        assert_screen!(app, "paced", size);
        app.advance(Duration::from_secs(3));
        assert!(app.screen().contains("Waiting 4 s for Auth0's rate limit"), "{}", app.screen());
        app.send(Event::Paced(None));
        assert!(!app.screen().contains("rate limit"), "{}", app.screen());
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_keeps_what_came_and_says_why() {
    for size in SIZES {
        let scenario = "[[fault]]\npath = \"/api/v2/clients\"\nskip = 1\nstatus = 403\nbody = '{\"statusCode\":403,\"error\":\"Forbidden\",\
                        \"message\":\"The account is not allowed to perform this operation\"}'\n";
        let options = Options {
            tenant: Population::Generated { clients: 250, seed: 3 },
            scenario: Some(Scenario::from_toml(scenario).expect("a scenario")),
            ..Options::default()
        };
        let tenant = sim::start(options).await.expect("a pretend tenant");
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        assert_screen!(app, "broken-off", size);
    }
}

#[tokio::test]
async fn a_small_window_is_told_its_size() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (50, 10));
    app.idle().await;
    assert_screen!(app, "too-small", (50, 10));
}

use std::time::Duration;

use rollover::sim::{self, Options, Population};
use rollover::tui::app::event::Event;
use rollover::tui::runner::Request;

use super::app::App;
use super::{SIZES, assert_screen, faulty, tenant};

#[tokio::test]
async fn the_first_screen_says_what_to_set_and_offers_the_demo() {
    for size in SIZES {
        let mut app = App::welcome(size);
        assert_screen!(app, "welcome", size);
        app.type_("d").await;
        assert!(app.screen().contains("pretend tenant (demo)"), "{}", app.screen());
        assert!(app.screen().contains("Billing API"), "{}", app.screen());
    }
}

#[tokio::test]
async fn help_lists_every_binding() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        app.press("?");
        assert_screen!(app, "help", size);
        let mut seen = String::new();
        for _ in 0..350 {
            seen.push_str(&app.screen());
            app.press("j");
        }
        for binding in rollover::tui::app::keymap::BINDINGS {
            assert!(seen.contains(binding.help), "`{}` is not on the help screen", binding.help);
        }
    }
}

#[tokio::test]
async fn the_palette_finds_and_does() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        app.type_(":").await;
        assert_screen!(app, "palette", size);
        app.type_("sort<enter>").await;
        assert!(app.screen().contains("sorted by type"), "{}", app.screen());
    }
}

#[tokio::test]
async fn a_tenant_without_clients_says_so() {
    for size in SIZES {
        let tenant = faulty("[[fault]]\npath = \"/api/v2/clients\"\nbody = '{\"clients\":[]}'\n").await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        assert_screen!(app, "empty", size);
    }
}

#[tokio::test]
async fn loading_says_so() {
    for size in SIZES {
        let tenant = faulty("[[fault]]\npath = \"/api/v2/clients\"\nhang = true\n").await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        // The only answer of Auth0's that ever comes: what the token may do.
        app.until("rotate ✓").await;
        assert_screen!(app, "loading", size);
    }
}

#[tokio::test]
async fn what_failed_says_what_can_be_done() {
    for size in SIZES {
        let tenant = tenant().await;
        let expired = tenant.mint_token("read:clients", Duration::ZERO);
        let mut app = App::on(&tenant, &expired, None, size);
        app.idle().await;
        assert_screen!(app, "expired", size);
        let token = tenant.mint_token("read:logs", Duration::from_mins(10));
        let mut app = App::on(&tenant, &token, None, size);
        app.idle().await;
        assert_screen!(app, "missing-scope", size);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let mut app = App::at("http://127.0.0.1:1", "token", None, (80, 24));
    app.idle().await;
    assert!(app.screen().contains("could not list the clients"), "{}", app.screen());
    assert!(app.screen().contains("Ctrl-R tries again"), "{}", app.screen());
}

#[tokio::test]
async fn a_small_window_asks_for_a_larger_one() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (59, 16));
    app.idle().await;
    assert!(app.screen().contains("Please enlarge the window"), "{}", app.screen());
    app.press("q");
    assert!(app.requests.is_empty(), "keys for a screen that cannot be seen do nothing");
    app.press("<c-c>");
    assert_eq!(app.requests, [Request::Quit]);
}

#[tokio::test]
async fn every_size_draws() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (60, 16));
    app.idle().await;
    for keys in [
        "", "<enter>", "r", "<esc>n", "<c-s>", "n<esc>z", "n<esc>o", "<enter>", "<esc>a", "<esc>?", "f", "<esc>?",
        "<esc>:", "<esc>", "<esc>/x",
    ] {
        app.type_(keys).await;
        app.advance(Duration::from_secs(1));
        for (width, height) in
            [(60, 16), (61, 17), (80, 24), (109, 30), (110, 30), (200, 60), (300, 100), (20, 5), (1, 1)]
        {
            app.resize(width, height);
            app.screen();
        }
    }
}

#[tokio::test]
async fn the_wait_for_the_rate_limit_is_counted_down() {
    let options = Options {
        tenant: Population::Generated { clients: 1000, seed: 1 },
        plan: sim::Plan::Free,
        ..Options::default()
    };
    let tenant = sim::start(options).await.expect("a pretend tenant");
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.until("for Auth0's rate limit").await;
    assert!(tenant.requests().iter().all(|request| request.status != 429), "we earn no 429 ourselves");
}

#[tokio::test]
async fn the_mouse_can_be_turned_off() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    app.press("m");
    app.press("m");
    assert_eq!(app.requests, [Request::SetMouse(false), Request::SetMouse(true)]);
}

#[tokio::test]
async fn nothing_moves_where_nothing_happens() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    app.send(Event::FocusGained);
    assert_eq!(app.runner.state.next_wake(), None, "an idle screen must not wake up");
}

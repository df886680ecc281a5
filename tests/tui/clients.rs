use rollover::sim::{self, Options, Population};
use rollover::tui::app::event::{Event, Target};

use super::app::App;
use super::{SIZES, assert_screen, tenant};

#[tokio::test]
async fn the_table_shows_every_client() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.fixed.push((tenant.client_id().into(), "RolloverRolloverRolloverRollover".into()));
        app.idle().await;
        assert_screen!(app, "table", size);
    }
}

#[tokio::test]
async fn listing_never_asks_for_a_secret() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (120, 36));
    app.idle().await;
    app.type_("/bill<enter><enter>").await;
    let requests = tenant.requests();
    assert!(requests.len() >= 2, "the list and the settings were asked for");
    for request in requests {
        assert!(!request.query.contains("client_secret"), "{}?{}", request.path, request.query);
        assert!(request.query.contains("fields="), "without `fields` everything comes, secrets too: {}", request.path);
    }
}

#[tokio::test]
async fn a_filter_finds_by_name_id_and_type_and_marks_what_matched() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        app.type_("/bill").await;
        assert_screen!(app, "filter", size);
        app.type_("<c-u>tpa_").await;
        assert!(app.screen().contains("Partner: Freight"), "{}", app.screen());
        app.type_("<c-u>salesforce").await;
        assert!(app.screen().contains("Salesforce Login"), "{}", app.screen());
        app.type_("<c-u>zzzzz").await;
        assert_screen!(app, "nothing-matches", size);
        app.type_("<esc>").await;
        assert!(app.screen().contains("sorted by name"), "Esc clears the filter");
    }
}

#[tokio::test]
async fn sorting_goes_round() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (120, 36));
    app.idle().await;
    for order in ["type", "authentication", "party", "name"] {
        app.type_("s").await;
        assert!(app.screen().contains(&format!("sorted by {order}")), "{}", app.screen());
    }
    app.type_("sss").await;
    let screen = app.screen();
    let first = screen.lines().nth(3).expect("a row");
    assert!(first.contains("third"), "third parties stand first: {first}");
}

#[tokio::test]
async fn keys_move_the_selection_and_stop_at_the_ends() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    let at = |app: &mut App| app.screen().lines().nth(22).expect("a line").trim().to_owned();
    assert_eq!(at(&mut app), "1/28");
    app.press("k");
    assert_eq!(at(&mut app), "1/28");
    app.press("jj<down>");
    assert_eq!(at(&mut app), "4/28");
    app.press("<pgdn>");
    assert_eq!(at(&mut app), "23/28");
    app.press("G");
    assert_eq!(at(&mut app), "28/28");
    app.press("<pgdn>j");
    assert_eq!(at(&mut app), "28/28");
    app.press("g");
    assert_eq!(at(&mut app), "1/28");
}

#[tokio::test]
async fn the_mouse_selects_opens_and_scrolls() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    assert!(matches!(app.target("Machine to Machine"), Target::Row(_)));
    app.click("Regular Web App");
    assert!(!app.screen().contains("Client Secret"), "a click beside the name selects only");
    app.click("⚙");
    app.idle().await;
    assert!(app.screen().contains("Client Secret"), "a click on the gear opens");
    app.type_("<esc>").await;
    app.click("Checkout");
    app.idle().await;
    assert!(app.screen().contains("╭─ Checkout"), "a click on the name opens: {}", app.screen());
    app.type_("<esc>g").await;
    app.send(Event::Scrolled(Target::Row(3), 2));
    assert!(app.screen().contains("7/28"), "a notch is three lines");
}

#[tokio::test]
async fn many_clients_stream_in_and_rows_are_there_before_the_last_page() {
    let options = Options { tenant: Population::Generated { clients: 950, seed: 3 }, ..Options::default() };
    let tenant = sim::start(options).await.expect("a pretend tenant");
    let mut app = App::on(&tenant, tenant.token(), None, (120, 36));
    app.until("100 clients").await;
    assert!(app.screen().contains("Machine to Machine"), "rows are there after the first page");
    app.idle().await;
    assert!(app.screen().contains("950 clients"), "{}", app.screen());
    app.type_("/zebra").await;
    let screen = app.screen();
    assert!(screen.contains("of 950") && screen.contains("Zebra"), "{screen}");
    let pages = tenant.requests().iter().filter(|request| request.path == "/api/v2/clients").count();
    assert_eq!(pages, 10, "a hundred to a page");
}

#[tokio::test]
async fn a_selection_stays_with_its_client_while_pages_arrive() {
    let options = Options { tenant: Population::Generated { clients: 500, seed: 5 }, ..Options::default() };
    let tenant = sim::start(options).await.expect("a pretend tenant");
    let mut app = App::on(&tenant, tenant.token(), None, (120, 36));
    app.until("100 clients").await;
    app.press("jjjj");
    let chosen = |app: &App| match &app.runner.state.screen {
        rollover::tui::app::screen::Screen::Main(main) => {
            main.clients.selected_row().map(|row| row.client_id.to_owned())
        }
        rollover::tui::app::screen::Screen::Welcome(_) | rollover::tui::app::screen::Screen::SignIn(_) => None,
    };
    let before = chosen(&app);
    assert!(before.is_some());
    app.idle().await;
    assert_eq!(chosen(&app), before);
}

#[tokio::test]
async fn reload_asks_again() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    let before = tenant.requests().len();
    app.type_("<c-r>").await;
    assert!(tenant.requests().len() > before);
    assert!(app.screen().contains("28 clients"));
}

#[tokio::test]
async fn a_wide_screen_shows_more_and_a_narrow_one_less() {
    let tenant = tenant().await;
    let mut app = App::on(&tenant, tenant.token(), None, (160, 40));
    app.idle().await;
    let heads = |app: &mut App| {
        let screen = app.screen();
        let line = screen.lines().nth(2).expect("the heads").to_owned();
        ["Name", "Type", "Client ID", "Party", "Authentication", "Rollover"]
            .into_iter()
            .filter(|head| line.contains(head))
            .collect::<Vec<_>>()
    };
    assert_eq!(heads(&mut app).len(), 6);
    app.type_("/billing api<enter><enter>").await;
    app.press("r<enter>");
    app.advance(std::time::Duration::from_millis(300));
    app.type_("y").await;
    app.type_("<esc><esc>").await;
    assert!(app.screen().contains("· retired"), "{}", app.screen());
    app.resize(120, 36);
    assert_eq!(heads(&mut app), ["Name", "Type", "Client ID", "Party", "Authentication"]);
    app.resize(80, 24);
    assert_eq!(heads(&mut app), ["Name", "Type", "Client ID"]);
    app.resize(60, 16);
    assert_eq!(heads(&mut app), ["Name", "Client ID"]);
    assert!(app.screen().contains(super::BILLING), "the id is whole on the smallest screen too: {}", app.screen());
}

/// Pages that come close together are handed on together; one whose successor is long in coming is not kept back.
#[tokio::test]
async fn what_has_come_is_shown_while_the_next_page_is_awaited() {
    let scenario = "[[fault]]\npath = \"/api/v2/clients\"\nskip = 2\nhang = true\n";
    let options = Options {
        tenant: Population::Generated { clients: 950, seed: 3 },
        scenario: Some(sim::Scenario::from_toml(scenario).expect("a scenario")),
        ..Options::default()
    };
    let tenant = sim::start(options).await.expect("a pretend tenant");
    let mut app = App::on(&tenant, tenant.token(), None, (120, 36));
    let shown = tokio::time::timeout(std::time::Duration::from_secs(20), app.until("200 clients")).await;
    assert!(shown.is_ok(), "the second page is kept back:\n{}", app.screen());
}

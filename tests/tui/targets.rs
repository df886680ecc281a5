//! Targets on screen: made, changed, taken out, looked at.
use super::app::write_private;
use super::rollover::World;
use super::{SIZES, assert_screen};

#[tokio::test]
async fn a_target_is_made_on_screen_and_checked() {
    for size in SIZES {
        let world = World::with(0, None).await;
        write_private(&world.path(0), &format!("AUTH0_CLIENT_SECRET={}\n", world.live()));
        let mut app = world.app(size).await;
        app.press("a");
        assert_screen!(app, "target-form", size);
        app.type_("shop<enter>").await;
        let path = world.path(0).display().to_string();
        app.type_(&format!("{path}<enter>")).await;
        assert!(!app.screen().contains("A new target"), "{}", app.screen());
        assert!(app.screen().contains("[ ] shop"), "{}", app.screen());
        let config = std::fs::read_to_string(world.home.path().join("config.toml")).expect("a file");
        assert!(config.contains(&path) && !config.contains(&world.live()), "{config}");
        app.type_("w").await;
        assert!(app.screen().contains("holds current, no fallback"), "{}", app.screen());
        app.type_("n").await;
        app.type_("w").await;
        assert!(app.screen().contains("holds current and fallback"), "{}", app.screen());
        write_private(&world.path(0), &format!("AUTH0_CLIENT_SECRET={}\n", "x".repeat(40)));
        app.type_("w").await;
        assert!(app.screen().contains("holds something else (drift)"), "{}", app.screen());
        std::fs::remove_file(world.path(0)).expect("it was there");
        app.type_("w").await;
        assert!(app.screen().contains("[✗] shop"), "{}", app.screen());
    }
}

#[tokio::test]
async fn what_cannot_be_one_is_said_at_its_field() {
    let world = World::with(0, None).await;
    let mut app = world.app((80, 24)).await;
    app.press("a");
    app.type_("shop<enter>relative/.env<enter>").await;
    assert!(app.screen().contains("begins at the root"), "{}", app.screen());
    app.type_("<c-u>/srv/app/secrets<enter>").await;
    assert!(app.screen().contains("does not tell its format"), "{}", app.screen());
    app.type_("<right><enter>").await;
    assert!(app.screen().contains("[ ] shop"), "{}", app.screen());
}

#[tokio::test]
async fn targets_are_changed_and_taken_out() {
    let world = World::with(2, None).await;
    let mut app = world.app((120, 36)).await;
    app.press("a");
    assert!(app.screen().contains("+ add a target"), "{}", app.screen());
    app.type_("<down><enter>").await;
    app.type_("<down><c-u>renamed<enter>").await;
    assert!(app.screen().contains("[ ] renamed") && !app.screen().contains("[ ] app1"), "{}", app.screen());
    app.click("app0");
    app.type_("<c-x>").await;
    assert!(!app.screen().contains("[ ] app0"), "{}", app.screen());
    assert!(world.path(0).exists(), "what it holds stays as it is");
}

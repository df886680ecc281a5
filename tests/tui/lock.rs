//! The key of the ledger: chosen on screen, asked for, forgotten.
use std::time::Duration;

use rollover::domain::rollover::State;

use super::app::App;
use super::rollover::World;
use super::{SIZES, assert_screen};

const PASSPHRASE: &str = "correct horse battery";

#[tokio::test]
async fn a_passphrase_is_chosen_on_the_way_and_what_waited_goes_on() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let mut app = App::with_variables(&world.tenant, world.home.path(), &[], size);
        app.idle().await;
        app.type_("/billing api<enter><enter>").await;
        app.type_("n").await;
        assert_screen!(app, "new-passphrase", size);
        app.type_("short<enter>").await;
        assert!(app.screen().contains("at least"), "{}", app.screen());
        app.type_(&format!("<c-u>{PASSPHRASE}<enter>")).await;
        assert!(app.screen().contains("once more"), "{}", app.screen());
        app.type_("something else<enter>").await;
        assert!(app.screen().contains("not the same"), "{}", app.screen());
        app.type_(&format!("{PASSPHRASE}<enter>{PASSPHRASE}<enter>")).await;
        assert_eq!(world.state(), State::Delivered, "{}", app.screen());
        drop(app);

        // The next run has to open what is sealed.
        let mut app = App::with_variables(&world.tenant, world.home.path(), &[], size);
        app.idle().await;
        app.type_("/billing api<enter><enter>").await;
        app.press("<c-s>");
        super::rollover::yes(&mut app).await;
        assert!(app.screen().contains("Passphrase of the ledger"), "{}", app.screen());
        assert_eq!(world.changes(), 0);
        app.type_("wrong passphrase<enter>").await;
        assert!(app.screen().contains("not the passphrase"), "{}", app.screen());
        app.type_(&format!("{PASSPHRASE}<enter>")).await;
        assert_eq!(world.state(), State::Holding, "{}", app.screen());
    }
}

#[tokio::test]
async fn whoever_leaves_the_passphrase_out_changes_nothing() {
    let world = World::with(1, None).await;
    let mut app = App::with_variables(&world.tenant, world.home.path(), &[], (80, 24));
    app.idle().await;
    app.type_("/billing api<enter><enter>").await;
    let before = world.file(0);
    app.type_("n").await;
    app.type_("<esc>").await;
    assert!(app.screen().contains("the passphrase was not given"), "{}", app.screen());
    assert_eq!(world.file(0), before);
}

#[tokio::test]
async fn after_five_minutes_without_a_key_what_was_opened_is_forgotten() {
    let world = World::with(1, None).await;
    let mut app = App::with_variables(&world.tenant, world.home.path(), &[], (120, 36));
    app.idle().await;
    app.type_("/billing api<enter><enter>").await;
    app.type_("n").await;
    app.type_(&format!("{PASSPHRASE}<enter>{PASSPHRASE}<enter>")).await;
    app.type_("C").await;
    let (pending, _) = app.copies.lock().expect("no panic").pop().expect("a copy");
    app.type_("V").await;
    assert!(app.screen().contains(&pending[..40]), "{}", app.screen());
    let mut waited = Duration::ZERO;
    while waited < Duration::from_secs(299) {
        app.advance(Duration::from_secs(1));
        waited += Duration::from_secs(1);
    }
    assert!(!app.screen().contains("LOCKED"), "{}", app.screen());
    app.advance(Duration::from_secs(1));
    app.idle().await;
    assert!(app.screen().contains("LOCKED"), "{}", app.screen());
    app.advance(Duration::from_mins(1));
    assert_eq!(app.runner.state.lock_at(), None, "what is locked rests");
    app.type_("V").await;
    assert!(app.screen().contains("Passphrase of the ledger"), "{}", app.screen());
    app.type_(&format!("{PASSPHRASE}<enter>")).await;
    assert!(app.screen().contains(&pending[..40]), "{}", app.screen());
    assert!(!app.screen().contains("LOCKED"), "{}", app.screen());
}

//! What nobody knows, and what somebody else changed: a plain page each.
use rollover::domain::rollover::State;

use super::rollover::{World, fix, yes};
use super::{BILLING, SIZES, assert_screen};

#[tokio::test]
async fn a_request_that_nobody_answers_has_a_page_of_its_own() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let old = world.live();
        let mut app = world.app(size).await;
        app.type_("n").await;
        world.play("[[fault]]\nmethod = \"PATCH\"\nwhen = \"before\"\nstatus = 502\n");
        app.press("<c-s>");
        yes(&mut app).await;
        fix(&mut app);
        app.fixed_correlation();
        assert_eq!(world.state(), State::InDoubt);
        assert_screen!(app, "in-doubt", size);
        let mut seen = app.screen();
        for _ in 0..40 {
            app.press("<down>");
            seen.push_str(&app.screen());
        }
        for words in ["What is known", "What is not known", "What each choice does", "What was done"] {
            assert!(seen.contains(words), "{words}: {seen}");
        }
        world.play("");
        app.type_("R").await;
        assert_eq!(world.state(), State::Holding, "{}", app.screen());
        assert_ne!(world.live(), old);
        assert_eq!(world.tenant.history(BILLING).len(), 1, "one value, however often it is sent");
    }
}

#[tokio::test]
async fn a_doubt_can_be_given_up_where_nothing_was_applied() {
    let world = World::with(1, None).await;
    let (old, before) = (world.live(), world.file(0));
    let mut app = world.app((80, 24)).await;
    app.type_("n").await;
    world.play("[[fault]]\nmethod = \"PATCH\"\nwhen = \"before\"\nstatus = 502\n");
    app.press("<c-s>");
    yes(&mut app).await;
    app.press("A");
    yes(&mut app).await;
    assert_eq!((world.state(), world.live(), world.file(0)), (State::Abandoned, old, before));
}

#[tokio::test]
async fn somebody_elses_change_is_left_to_a_person() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let mut app = world.app(size).await;
        app.type_("n").await;
        world.tenant.act_as_other(BILLING);
        let theirs = world.live();
        app.press("<c-s>");
        yes(&mut app).await;
        fix(&mut app);
        assert_eq!((world.state(), world.live()), (State::Conflict, theirs.clone()));
        app.fixed_times();
        assert_screen!(app, "conflict", size);
        app.press("t");
        assert!(app.screen().contains("Keep their secret?"), "{}", app.screen());
        yes(&mut app).await;
        assert_eq!((world.state(), world.live()), (State::Holding, theirs.clone()));
        assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={theirs}\n")));
    }
}

#[tokio::test]
async fn what_somebody_set_back_is_told_and_can_be_gone_along_with() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let old = world.live();
        let mut app = world.app(size).await;
        app.type_("n").await;
        app.press("<c-s>");
        yes(&mut app).await;
        world.tenant.set_as_other(BILLING, &old);
        app.press("x");
        yes(&mut app).await;
        assert_eq!(world.state(), State::Conflict);
        fix(&mut app);
        app.fixed_times();
        assert_screen!(app, "set-back", size);
        assert!(!app.screen().contains("keep theirs"), "what is theirs is what was there before: {}", app.screen());
        app.press("z");
        assert!(app.screen().contains("The old secret is live already"), "{}", app.screen());
        yes(&mut app).await;
        assert_eq!((world.state(), world.live()), (State::RolledBack, old), "{}", app.screen());
    }
}

#[tokio::test]
async fn in_a_conflict_ours_can_be_set_or_all_left_as_it_is() {
    for (key, state) in [("s", State::Holding), ("A", State::Abandoned)] {
        let world = World::with(1, None).await;
        let mut app = world.app((120, 36)).await;
        app.type_("n").await;
        world.tenant.act_as_other(BILLING);
        let theirs = world.live();
        app.press("<c-s>");
        yes(&mut app).await;
        app.press(key);
        yes(&mut app).await;
        assert_eq!(world.state(), state, "{key}: {}", app.screen());
        assert_eq!(world.live() == theirs, key == "A");
    }
}

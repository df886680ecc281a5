//! A rollover on screen, with a real ledger and real files: keys in, screen and files out.
use std::path::PathBuf;
use std::time::Duration;

use rollover::domain::rollover::State;
use rollover::domain::target::{FilePlace, Format, Place, SlotNames};
use rollover::domain::{Domain, Environment, Profile, Target};
use rollover::ledger::Ledger;
use rollover::sim::{self, Running, Scenario};
use rollover::tenants::Tenants;
use tempfile::TempDir;

use super::app::{App, write_private};
use super::{BILLING, SIZES, assert_screen, tenant};

/// A pretend tenant, and a user with targets.
pub(super) struct World {
    pub(super) tenant: Running,
    pub(super) home: TempDir,
}

impl World {
    /// With so many `.env` files that hold the live secret of "Billing API".
    pub(super) async fn with(targets: usize, environment: Option<Environment>) -> Self {
        let world = Self { tenant: tenant().await, home: super::tenants::home() };
        std::fs::create_dir(world.home.path().join("billing-apps-of-the-test")).expect("a folder");
        let facade = world.tenants();
        let domain = Domain::parse(world.tenant.url()).expect("a domain");
        let profile = Profile { environment, ..Profile::new("acme".to_owned(), domain) };
        facade.store(&profile, None, false).await.expect("a tenant");
        let live = world.live();
        for number in 0..targets {
            write_private(&world.path(number), &format!("PORT=80\nAUTH0_CLIENT_SECRET={live}\n"));
            let target = Target {
                name: format!("app{number}"),
                place: Place::File(FilePlace {
                    path: world.path(number),
                    format: Format::Dotenv,
                    follow_links: false,
                    allow_mode: false,
                }),
                slots: SlotNames::default(),
                after: Vec::new(),
            };
            facade.add_target(&profile, BILLING, &target).expect("a target");
        }
        world
    }

    fn tenants(&self) -> Tenants {
        let home = self.home.path().as_os_str().to_owned();
        Tenants::new(move |name| (name == "ROLLOVER_HOME").then(|| home.clone()), false).expect("a home")
    }

    /// The interface, on the settings of "Billing API".
    pub(super) async fn app(&self, size: (u16, u16)) -> App {
        let mut app = App::with_home(&self.tenant, self.home.path(), size);
        app.fixed.push((self.home.path().display().to_string(), "/home/ann".to_owned()));
        app.idle().await;
        app.type_("/billing api<enter><enter>").await;
        app
    }

    pub(super) fn live(&self) -> String {
        self.tenant.secret_of(BILLING).expect("a secret")
    }

    pub(super) fn path(&self, number: usize) -> PathBuf {
        self.home.path().join("billing-apps-of-the-test").join(format!("app{number}.env"))
    }

    pub(super) fn file(&self, number: usize) -> String {
        std::fs::read_to_string(self.path(number)).expect("a file")
    }

    /// Where the client's latest rollover stands, by the ledger on the disk.
    pub(super) fn state(&self) -> State {
        let ledger = Ledger::open(self.tenants().home().state()).expect("a ledger");
        let domain = Domain::parse(self.tenant.url()).expect("a domain");
        ledger.latest(&domain, BILLING).expect("the ledger").expect("a rollover").state
    }

    pub(super) fn play(&self, scenario: &str) {
        self.tenant.play(Scenario::from_toml(scenario).expect("a scenario"));
    }

    pub(super) fn changes(&self) -> usize {
        let is_change =
            |request: &&sim::Recorded| request.method == "PATCH" || request.path.ends_with("/rotate-secret");
        self.tenant.requests().iter().filter(is_change).count()
    }
}

/// Answers the question on screen.
pub(super) async fn yes(app: &mut App) {
    app.advance(Duration::from_millis(300));
    app.type_("y").await;
}

/// What differs from run to run: fingerprints, and who did it.
pub(super) fn fix(app: &mut App) {
    let rows = app.runner.state.records.rollovers.clone();
    for row in rows {
        let prints = [(row.old, "01d01d01"), (row.new, "2e32e32e"), (row.observed, "0b5e0b5e")];
        for (print, shown) in prints {
            if let Some(print) = print {
                app.fixed.push((print.fingerprint().to_string(), shown.to_owned()));
            }
        }
        app.fixed.push((row.who, "ann@laptop".to_owned()));
    }
}

#[tokio::test]
async fn the_main_job_from_a_new_secret_to_a_retired_old_one() {
    for size in SIZES {
        let world = World::with(2, None).await;
        let old = world.live();
        let mut app = world.app(size).await;
        app.type_("n").await;
        fix(&mut app);
        assert_screen!(app, "staged", size);
        assert_eq!((world.live(), world.state(), world.changes()), (old.clone(), State::Delivered, 0));
        assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={old}\nAUTH0_CLIENT_SECRET_FALLBACK=")));
        app.press("<c-s>");
        app.type_("y").await;
        assert_eq!(world.changes(), 0, "the first moments are deaf");
        app.advance(Duration::from_millis(300));
        assert_screen!(app, "save-changes", size);
        app.type_("y").await;
        let new = world.live();
        assert_ne!(new, old);
        assert_screen!(app, "holding", size);
        assert_eq!((world.state(), world.changes()), (State::Holding, 1));
        for number in 0..2 {
            let expected = format!("PORT=80\nAUTH0_CLIENT_SECRET={new}\nAUTH0_CLIENT_SECRET_FALLBACK={old}\n");
            assert_eq!(world.file(number), expected, "the new one first");
        }
        app.press("x");
        assert!(app.screen().contains("Retire the old secret?"), "{}", app.screen());
        yes(&mut app).await;
        assert_eq!((world.live(), world.state()), (new.clone(), State::Retired));
        assert!(!world.file(1).contains(&old) && world.file(1).contains(&new));
        assert!(app.screen().contains("Last rollover"), "{}", app.screen());
    }
}

#[tokio::test]
async fn the_button_at_the_foot_does_what_the_key_does() {
    let world = World::with(1, None).await;
    let mut app = world.app((80, 24)).await;
    app.type_("n").await;
    app.click("Save Changes");
    app.advance(Duration::from_millis(300));
    app.click("make it live");
    app.idle().await;
    assert_eq!(world.state(), State::Holding);
    app.click("roll back");
    assert!(app.screen().contains("Go back to the old secret?"), "{}", app.screen());
}

#[tokio::test]
async fn it_can_be_taken_back_before_and_after() {
    let world = World::with(2, None).await;
    let (old, before) = (world.live(), world.file(0));
    let mut app = world.app((120, 36)).await;
    app.type_("n").await;
    assert_ne!(world.file(0), before);
    app.press("z");
    assert!(app.screen().contains("Give up the pending secret?"), "{}", app.screen());
    yes(&mut app).await;
    assert_eq!((world.state(), world.file(0), world.live()), (State::Abandoned, before.clone(), old.clone()));
    app.type_("n").await;
    app.press("<c-s>");
    yes(&mut app).await;
    assert_ne!(world.live(), old);
    app.press("z");
    assert!(app.screen().contains("Go back to the old secret?"), "{}", app.screen());
    yes(&mut app).await;
    assert_eq!((world.state(), world.file(0), world.live()), (State::RolledBack, before, old));
    app.type_("o").await;
    fix(&mut app);
    assert_screen!(app, "rollovers-two", (120, 36));
}

#[tokio::test]
async fn without_targets_it_is_said_what_that_means_and_the_pending_secret_can_be_handed_over() {
    let world = World::with(0, None).await;
    let mut app = world.app((80, 24)).await;
    app.type_("n").await;
    assert_eq!(world.state(), State::Staged);
    app.type_("C").await;
    let (copied, is_secret) = app.copies.lock().expect("no panic").pop().expect("a copy");
    assert!(is_secret && copied.len() == 64 && copied != world.live());
    app.type_("V").await;
    assert!(app.screen().contains(&copied), "{}", app.screen());
    app.advance(Duration::from_secs(30));
    assert!(!app.screen().contains(&copied), "it hides by itself");
    app.press("<c-s>");
    assert!(app.screen().contains("has no target"), "{}", app.screen());
    yes(&mut app).await;
    assert_eq!((world.live(), world.state()), (copied, State::Holding));
}

#[tokio::test]
async fn rotating_asks_which_way_and_zero_downtime_comes_first_where_there_are_targets() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let mut app = world.app(size).await;
        app.press("r");
        assert_screen!(app, "which-way", size);
        app.type_("<enter>").await;
        assert_eq!((world.state(), world.changes()), (State::Delivered, 0));
        app.press("r<down><enter>");
        assert!(app.screen().contains("it ends here"), "{}", app.screen());
        yes(&mut app).await;
        assert_eq!((world.state(), world.changes()), (State::Retired, 1));
        assert!(world.file(0).contains(&world.live()), "the target has what is live");
    }
}

#[tokio::test]
async fn production_wants_the_name_typed_before_what_apps_notice() {
    let world = World::with(1, Some(Environment::Production)).await;
    let mut app = world.app((80, 24)).await;
    app.type_("n").await;
    assert_eq!(world.state(), State::Delivered, "staging changes nothing that they notice");
    app.press("<c-s>");
    app.advance(Duration::from_millis(300));
    app.type_("y<enter>").await;
    assert_eq!(world.changes(), 0);
    app.type_("<c-u>Billing API<enter>").await;
    assert_eq!((world.changes(), world.state()), (1, State::Holding));
}

#[tokio::test]
async fn a_target_that_cannot_be_written_is_named_and_the_cutover_asks_for_more_than_a_key() {
    for size in SIZES {
        let world = World::with(2, None).await;
        std::fs::remove_file(world.path(1)).expect("it was there");
        let mut app = world.app(size).await;
        app.type_("n").await;
        assert!(app.screen().contains("[✓] app0") && app.screen().contains("[✗] app1"), "{}", app.screen());
        app.press("<c-s>");
        yes(&mut app).await;
        assert!(app.screen().contains("The pending secret is not in app1"), "{}", app.screen());
        assert!(app.screen().contains("1 of 2 targets hold it"), "{}", app.screen());
        assert_eq!(world.changes(), 0, "a y is not enough");
        app.press("<esc>");
        write_private(&world.path(1), &format!("AUTH0_CLIENT_SECRET={}\n", world.live()));
        app.type_("n").await;
        assert!(app.screen().contains("[✓] app1"), "{}", app.screen());
        app.press("<c-s>");
        yes(&mut app).await;
        assert_eq!(world.state(), State::Holding);
    }
}

#[tokio::test]
async fn a_cutover_without_a_target_that_cannot_be_mended_is_possible_once_the_name_is_typed() {
    for size in SIZES {
        let world = World::with(2, None).await;
        std::fs::remove_file(world.path(1)).expect("it was there");
        let mut app = world.app(size).await;
        app.type_("n").await;
        app.press("<c-s>");
        app.advance(Duration::from_millis(300));
        app.type_("Billing API<enter>").await;
        assert_eq!((world.changes(), world.state()), (1, State::Promoting), "{}", app.screen());
        assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={}\n", world.live())));
        write_private(&world.path(1), &format!("AUTH0_CLIENT_SECRET={}\n", world.live()));
        app.type_("R").await;
        assert_eq!((world.changes(), world.state()), (1, State::Holding), "{}", app.screen());
    }
}

#[tokio::test]
async fn the_next_start_says_where_things_stand_and_goes_on() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let mut app = world.app(size).await;
        app.type_("n").await;
        drop(app);
        let mut app = App::with_home(&world.tenant, world.home.path(), size);
        app.idle().await;
        let screen = app.screen();
        assert!(screen.contains("1 rollover is unfinished: Billing API (delivered)"), "{screen}");
        assert!(screen.contains("1 rollover unfinished (o)") && screen.contains("◐"), "{screen}");
        app.type_("o").await;
        assert_screen!(app, "left-unfinished", size);
        app.press("<c-s>");
        yes(&mut app).await;
        assert_eq!(world.state(), State::Holding);
    }
}

#[tokio::test]
async fn whoever_holds_both_for_too_long_is_told() {
    let world = World::with(1, None).await;
    let mut app = world.app((80, 24)).await;
    app.type_("n").await;
    app.press("<c-s>");
    yes(&mut app).await;
    drop(app);
    let mut app = App::with_home(&world.tenant, world.home.path(), (80, 24));
    app.runner.state.epoch += 8 * 86_400;
    app.idle().await;
    assert!(app.screen().contains("Billing API (holding for 8 days: retire it)"), "{}", app.screen());
    app.type_("/billing api<enter><enter>").await;
    assert!(app.screen().contains("! It is holding for 8 days: retire it (x)."), "{}", app.screen());
}

#[tokio::test]
async fn a_program_that_died_while_it_sent_is_followed_by_one_that_settles_it() {
    let world = World::with(1, None).await;
    let old = world.live();
    world.play("[[fault]]\nmethod = \"PATCH\"\nwhen = \"after\"\nhang = true\n");
    let mut app = world.app((120, 36)).await;
    app.type_("n").await;
    app.press("<c-s>");
    app.advance(Duration::from_millis(300));
    app.press("y");
    app.until("Making it live").await;
    while world.live() == old {
        tokio::task::yield_now().await;
    }
    drop(app);
    assert_eq!(world.state(), State::Sending);
    world.play("");
    let mut app = App::with_home(&world.tenant, world.home.path(), (120, 36));
    app.idle().await;
    assert_ne!(world.live(), old);
    assert_eq!((world.state(), world.changes()), (State::Holding, 1), "{}", app.screen());
    assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={}\n", world.live())));
}

#[tokio::test]
async fn of_two_programs_one_works_and_the_other_watches() {
    let world = World::with(1, None).await;
    world.play("[[fault]]\nmethod = \"PATCH\"\nheld = true\n");
    let mut one = world.app((120, 36)).await;
    one.type_("n").await;
    let mut other = world.app((120, 36)).await;
    assert!(other.screen().contains("delivered"), "{}", other.screen());
    one.press("<c-s>");
    one.advance(Duration::from_millis(300));
    one.press("y");
    one.until("Making it live").await;
    other.press("<c-s>");
    yes(&mut other).await;
    assert!(other.screen().contains("another process is at work"), "{}", other.screen());
    world.play("");
    one.idle().await;
    assert_eq!((world.state(), world.changes()), (State::Holding, 1));
    assert!(other.runner.state.next_wake().is_some(), "it looks again");
    other.advance(Duration::from_secs(1));
    other.idle().await;
    assert!(other.screen().contains("◐ holding") || other.screen().contains("retire"), "{}", other.screen());
    other.advance(Duration::from_mins(1));
    other.idle().await;
    assert_eq!(other.runner.state.records.next_look, None, "what rests is not looked at");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_used_is_told_and_nothing_is_changed() {
    for size in SIZES {
        let world = World::with(1, None).await;
        let state = world.tenants().home().state().to_owned();
        let mut app = world.app(size).await;
        app.type_("n").await;
        drop(app);
        write_private(
            &state.join("ledger.db"),
            "this is no database, and long enough not to be taken for an empty one\n",
        );
        let mut app = world.app(size).await;
        assert!(app.screen().contains("Billing API"), "the rest works: {}", app.screen());
        let before = (world.changes(), world.file(0));
        app.type_("n").await;
        assert!(app.screen().contains("as long as the ledger cannot be used"), "{}", app.screen());
        app.type_("r").await;
        assert_eq!((world.changes(), world.file(0)), before);
    }
}

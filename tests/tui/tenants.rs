//! Connecting a tenant on screen, opening it again, going to another one.
use std::sync::Arc;
use std::time::Duration;

use rollover::domain::{Secret, WayIn};
use rollover::sim::Running;
use rollover::tenants::Tenants;
use rollover::tui::app::event::Event;
use rollover::tui::app::screen::Screen;
use rollover::tui::app::state::Which;
use tempfile::TempDir;

use super::app::App;
use super::{BILLING, SIZES, assert_screen, faulty, tenant};

/// A folder that only its owner may look into.
pub(super) fn home() -> TempDir {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().expect("a folder")
}

fn tenants(home: &TempDir) -> Tenants {
    let folder = home.path().as_os_str().to_owned();
    Tenants::new(move |name| (name == "ROLLOVER_HOME").then(|| folder.clone()), false).expect("a home")
}

/// What differs from run to run, made the same.
fn fix(app: &mut App, tenant: &Running) {
    let host = tenant.url().trim_start_matches("http://").to_owned();
    app.fixed.push((tenant.url().to_owned(), "http://127.0.0.1:12345".into()));
    app.fixed.push((host, "127.0.0.1:12345".into()));
    app.fixed.push((tenant.client_id().to_owned(), "IdOfTheClientThatRolloverIsHere1".into()));
}

const PASSPHRASE: &str = "correct horse";

/// Connects the pretend tenant as its managing client, in a home where nothing was before.
async fn connect(app: &mut App, tenant: &Running, name: &str) {
    app.idle().await;
    app.type_("<enter>").await;
    app.type_(&format!("{}<tab>{}<tab>{}<enter>", tenant.url(), tenant.client_id(), tenant.client_secret())).await;
    assert!(app.screen().contains("Signed in."), "{}", app.screen());
    // The focus is on the environment, which nobody has said: the name is before it.
    app.type_(&format!("<s-tab><c-u>{name}<enter>")).await;
    app.type_(&format!("{PASSPHRASE}<enter>{PASSPHRASE}<enter>")).await;
}

#[tokio::test]
async fn a_client_and_its_secret_connect_a_tenant() {
    for size in SIZES {
        let (tenant, home) = (tenant().await, home());
        let mut app = App::at_home(home.path(), &[], size);
        fix(&mut app, &tenant);
        app.idle().await;
        app.type_("<enter>").await;
        assert_screen!(app, "sign-in", size);
        app.type_(&format!("{}<enter>{}<enter>{}", tenant.url(), tenant.client_id(), tenant.client_secret())).await;
        assert_screen!(app, "sign-in-filled", size);
        assert!(!app.screen().contains(tenant.client_secret()));
        app.press("<enter>");
        assert!(app.screen().contains("Signing in at"), "{}", app.screen());
        app.idle().await;
        assert_screen!(app, "sign-in-review", size);
        // Development, the colour as it is, read-only.
        app.type_("<right><tab><tab><right><enter>").await;
        app.type_(&format!("{PASSPHRASE}<enter>{PASSPHRASE}")).await;
        assert_screen!(app, "sign-in-passphrase", size);
        app.type_("<enter>").await;
        assert_screen!(app, "connected", size);
        let config = tenants(&home).config().expect("a configuration");
        let profile = config.tenants.values().next().expect("a tenant");
        assert_eq!(config.selected.as_ref(), Some(&profile.name));
        assert!(profile.read_only);
        assert_eq!(profile.way_in, Some(WayIn::ClientSecret { client_id: tenant.client_id().into() }));
        for entry in walk(home.path()) {
            let bytes = std::fs::read(&entry).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(tenant.client_secret()) && !text.contains(PASSPHRASE), "{}", entry.display());
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn the_next_start_asks_for_the_passphrase_once_and_opens_it() {
    let (tenant, home) = (tenant().await, home());
    connect(&mut App::at_home(home.path(), &[], (120, 36)), &tenant, "shop").await;
    for size in SIZES {
        let mut app = App::at_home(home.path(), &[], size);
        fix(&mut app, &tenant);
        app.idle().await;
        assert_screen!(app, "passphrase", size);
        app.type_("wrong horse<enter>").await;
        assert!(app.screen().contains("✗ that is not the passphrase"), "{}", app.screen());
        app.type_(&format!("{PASSPHRASE}<enter>")).await;
        assert!(app.screen().contains("Billing API") && app.screen().contains("shop"), "{}", app.screen());
        // It is open for the rest of the run.
        app.type_("t<enter>").await;
        assert!(app.screen().contains("Billing API"), "{}", app.screen());
    }
    let mut app = App::at_home(home.path(), &[], (80, 24));
    app.idle().await;
    app.type_("<esc>").await;
    assert!(app.screen().contains("✗ not signed in"), "{}", app.screen());
    app.type_("<c-r>").await;
    assert!(app.screen().contains("Passphrase of the stored credentials"), "{}", app.screen());
}

#[tokio::test]
async fn every_refusal_is_said_where_it_can_be_mended() {
    let denied = |status: u16, error: &str, text: &str| {
        let body = serde_json::json!({ "error": error, "error_description": text }).to_string();
        format!("[[fault]]\npath = \"/oauth/token\"\nstatus = {status}\nbody = '''{body}'''\n")
    };
    let grant =
        "Client is not authorized to access \"x\". You need to create a \"client-grant\" associated to this API.";
    for (scenario, part) in [
        (denied(401, "access_denied", "Unauthorized"), "check both"),
        (denied(401, "invalid_client", "Client authentication failed"), "Client authentication failed"),
        (denied(403, "access_denied", grant), "Authorize the client"),
        (
            denied(403, "access_denied", "Client has not been granted scopes: read:clients"),
            "has not been granted scopes",
        ),
        (
            denied(403, "unauthorized_client", "Grant type 'client_credentials' not allowed for the client."),
            "not allowed",
        ),
        ("[[fault]]\npath = \"/api/v2/clients\"\nbody = '<html>'\n".to_owned(), "no list of clients"),
    ] {
        let (tenant, home) = (faulty(&scenario).await, home());
        let mut app = App::at_home(home.path(), &[], (120, 36));
        app.idle().await;
        app.type_("<enter>").await;
        app.type_(&format!("{}<tab>{}<tab>{}<enter>", tenant.url(), tenant.client_id(), tenant.client_secret())).await;
        let screen = app.screen();
        let said = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("✗ could not") && said.contains(part), "{part}:\n{screen}");
        assert!(screen.contains("••••"), "what was typed is still there:\n{screen}");
        assert!(walk(home.path()).is_empty(), "nothing is stored");
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_said_before_anything_is_sent() {
    let home = home();
    let mut app = App::at_home(home.path(), &[], (80, 24));
    app.idle().await;
    app.type_("<enter>http://acme.auth0.com<tab>id<tab>secret<enter>").await;
    assert!(app.screen().contains("plain http"), "{}", app.screen());
    app.type_("<c-u><enter>").await;
    assert!(app.screen().contains("✗ Domain is missing"), "{}", app.screen());
    app.type_("<esc>").await;
    assert!(app.screen().contains("How should rollover sign in?"), "{}", app.screen());
}

#[tokio::test]
async fn a_private_key_is_read_from_its_file_or_pasted() {
    let (tenant, home) = (tenant().await, home());
    let (id, key) = tenant.private_key().map(|(id, key)| (id.to_owned(), key.to_owned())).expect("a keyed client");
    let mut app = App::at_home(home.path(), &[], (120, 36));
    app.idle().await;
    app.type_(&format!("<down><enter>{}<tab>{id}<tab>", tenant.url())).await;
    app.send(Event::Pasted(key.clone()));
    let screen = app.screen();
    assert!(screen.contains("a private key") && !screen.contains("BEGIN"), "{screen}");
    app.type_("<enter>").await;
    // It is let in, and then may not manage this tenant: which is what its own grant says.
    assert!(app.screen().contains("Authorize the client"), "{}", app.screen());
    let file = home.path().join("key.pem");
    std::fs::write(&file, &key).expect("a file");
    #[cfg(unix)]
    {
        let mode = |mode| std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode));
        let mut app = App::at_home(home.path(), &[], (120, 36));
        app.idle().await;
        mode(0o644).expect("a mode");
        app.type_(&format!("<down><enter>{}<tab>{id}<tab>{}<enter>", tenant.url(), file.display())).await;
        assert!(app.screen().contains("chmod 600"), "{}", app.screen());
        mode(0o600).expect("a mode");
        app.type_("<enter>").await;
        assert!(app.screen().contains("Authorize the client"), "{}", app.screen());
    }
}

#[tokio::test]
async fn a_token_is_for_this_run_unless_it_is_to_be_kept() {
    let (tenant, home) = (tenant().await, home());
    let token = tenant.mint_token("read:clients", Duration::from_hours(1));
    let mut app = App::at_home(home.path(), &[], (120, 36));
    fix(&mut app, &tenant);
    app.idle().await;
    app.type_(&format!("<down><down><enter>{}<tab>", tenant.url())).await;
    app.send(Event::Pasted(token.clone()));
    app.type_("<enter>").await;
    let screen = app.screen();
    assert!(screen.contains("✗ rotate client secrets: needs update:client_keys"), "{screen}");
    assert!(screen.contains("nowhere: ask each time"), "{screen}");
    app.type_("<enter>").await;
    assert!(app.screen().contains("Billing API"), "{}", app.screen());
    for entry in walk(home.path()) {
        assert!(!std::fs::read_to_string(&entry).expect("a text").contains(&token));
    }
    let mut app = App::at_home(home.path(), &[], (120, 36));
    app.idle().await;
    assert!(app.screen().contains("The access token for"), "{}", app.screen());
    app.send(Event::Pasted(token));
    app.type_("<enter>").await;
    assert!(app.screen().contains("Billing API"), "{}", app.screen());
}

#[tokio::test]
async fn a_tokens_end_is_counted_down() {
    let tenant = tenant().await;
    let token = tenant.mint_token("read:clients", Duration::from_hours(1));
    let mut app = App::at(tenant.url(), &token, None, (120, 36));
    app.idle().await;
    let Screen::Main(main) = &app.runner.state.screen else { panic!("a tenant") };
    let expires = main.tenant.session.as_ref().and_then(|session| session.as_ref().ok()?.expires_at).expect("a time");
    // The first moment of the tests is one second after zero.
    app.runner.state.epoch = expires - 3601;
    assert!(app.screen().contains("token 60 min"), "{}", app.screen());
    app.advance(Duration::from_mins(56));
    assert!(app.screen().contains("token 240 s"), "{}", app.screen());
    assert_eq!(app.runner.state.next_wake(), Some(app.now.after(Duration::from_secs(1))));
    app.advance(Duration::from_mins(5));
    assert!(app.screen().contains("token expired"), "{}", app.screen());
}

#[tokio::test]
async fn going_to_another_tenant_leaves_nothing_of_the_first() {
    let (one, two, home) = (tenant().await, super::numbered(3).await, home());
    let mut app = App::at_home(home.path(), &[], (120, 36));
    connect(&mut app, &one, "one").await;
    let token = two.mint_token("read:clients read:client_keys update:client_keys", Duration::from_hours(1));
    app.type_("tanother<enter>").await;
    assert!(app.screen().contains("Another tenant."), "{}", app.screen());
    app.type_("<down><enter>").await;
    assert!(app.screen().contains("with a private key"), "{}", app.screen());
    app.type_("<esc><esc>").await;
    assert!(app.screen().contains("Billing API"), "Esc comes back:\n{}", app.screen());

    // A second one, stored by hand and opened with a token.
    let text = std::fs::read_to_string(home.path().join("config.toml")).expect("the file");
    let more = format!("{text}\n[tenants.two]\ndomain = \"{}\"\nsign_in = \"token\"\ncolour = \"cyan\"\n", two.url());
    std::fs::write(home.path().join("config.toml"), more).expect("the file");
    // An answer of the first tenant that is still on its way when the second is opened.
    app.press("<enter>");
    app.press("t");
    app.type_("two").await;
    app.type_("<enter>").await;
    app.send(Event::Pasted(token));
    app.type_("<enter>").await;
    let screen = app.screen();
    assert!(screen.contains("3 clients") && !screen.contains("Billing API"), "{screen}");
    assert!(
        two.requests().iter().all(|request| !request.path.contains(BILLING)),
        "nor is it asked for the first one's"
    );
}

#[tokio::test]
async fn a_rotation_goes_on_while_another_tenant_is_on_screen() {
    let (one, home) = (tenant().await, home());
    let key = home.path().join("ledger.key");
    super::app::write_private(&key, &super::app::age_identity());
    let key = key.display().to_string();
    let mut app = App::at_home(home.path(), &[("ROLLOVER_IDENTITY_FILE", &key)], (120, 36));
    connect(&mut app, &one, "one").await;
    app.type_("/billing api<enter><enter>").await;
    app.press("r<enter>");
    app.advance(Duration::from_secs(1));
    app.press("y<esc>t");
    // The demo has clients of its own, with the same ids.
    app.type_("<down><down><enter>").await;
    app.until("pretend tenant (demo)").await;
    app.idle().await;
    app.type_("/billing api<enter><enter>").await;
    let before = one.requests().iter().filter(|request| request.path.ends_with("/rotate-secret")).count();
    assert_eq!(before, 1);
    app.type_("o").await;
    let screen = app.screen();
    assert!(screen.contains(&format!("{BILLING} at {}", one.url().trim_start_matches("http://"))), "{screen}");
    app.type_("<esc>v").await;
    let live = one.secret_of(BILLING).expect("a secret");
    assert!(!app.screen().contains(&live[..20]), "the one tenant's secret is not the other's");
}

#[tokio::test]
async fn a_read_only_tenant_refuses_and_says_so() {
    for size in SIZES {
        let (tenant, home) = (tenant().await, home());
        let facade = tenants(&home);
        facade.choose_passphrase(Arc::new(Secret::new(PASSPHRASE.into()))).await.expect("it is chosen");
        let mut profile = rollover::domain::Profile::new(
            "live".into(),
            rollover::domain::Domain::parse(tenant.url()).expect("a domain"),
        );
        profile.way_in = Some(WayIn::ClientSecret { client_id: tenant.client_id().into() });
        profile.kept = Some(rollover::domain::Keep::File);
        profile.environment = Some(rollover::domain::Environment::Production);
        profile.read_only = true;
        let secret = Arc::new(Secret::new(tenant.client_secret().into()));
        facade.store(&profile, Some(secret), true).await.expect("it is stored");
        let mut app = App::at_home(home.path(), &[], size);
        fix(&mut app, &tenant);
        app.idle().await;
        app.type_(&format!("{PASSPHRASE}<enter>")).await;
        app.type_("/billing api<enter><enter>r").await;
        assert_screen!(app, "read-only", size);
        assert!(app.screen().contains("READ-ONLY") && app.screen().contains("is read-only: nothing is changed here"));
        assert!(one_rotation(&tenant).is_none());
    }
}

fn one_rotation(tenant: &Running) -> Option<String> {
    tenant
        .requests()
        .into_iter()
        .find(|request| request.method != "GET" && request.path != "/oauth/token")
        .map(|r| r.path)
}

#[tokio::test]
async fn the_switcher_shows_what_is_there_and_makes_one_the_default() {
    let home = home();
    let config = "tenant = \"acme\"\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"token\"\nenvironment = \"production\"\n\
                  [tenants.\"a\u{301}\u{202e}very long name that goes on an\"]\ndomain = \"globex-with-a-long-name.eu.auth0.com\"\n\
                  sign_in = \"auth0-cli\"\nread_only = true\nenvironment = \"staging\"\n";
    let named = config.replace('\u{202e}', "");
    std::fs::write(home.path().join("config.toml"), &named).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(home.path().join("config.toml"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("a mode");
    for size in SIZES {
        let mut app = App::at_home(home.path(), &[], size);
        app.idle().await;
        app.type_("<esc>t").await;
        assert_screen!(app, "switcher", size);
    }
    let mut app = App::at_home(home.path(), &[], (80, 24));
    app.idle().await;
    app.type_("<esc>tglobex<tab>").await;
    assert!(app.screen().contains("from now on"), "{}", app.screen());
    let config = tenants(&home).config().expect("a configuration");
    assert_eq!(config.selected.as_deref(), Some("a\u{301}very long name that goes on an"));
}

#[tokio::test]
async fn what_works_here_is_told_on_screen_and_asks_for_nothing_secret() {
    let (tenant, home) = (tenant().await, home());
    for size in SIZES {
        let mut app = App::at_home(home.path(), &[], size);
        app.idle().await;
        app.press("D");
        assert!(app.screen().contains("Looking around…"), "{}", app.screen());
        app.idle().await;
        assert!(app.screen().contains("✓ Version") && app.screen().contains("config.toml"), "{}", app.screen());
        app.type_("<esc>").await;
        assert!(app.screen().contains("How should rollover sign in?"), "{}", app.screen());
    }
    let mut app = App::at_home(home.path(), &[], (120, 36));
    connect(&mut app, &tenant, "shop").await;
    app.type_("D").await;
    let mut seen = String::new();
    for _ in 0..6 {
        seen.push_str(&app.screen());
        app.press("<pgdn>");
    }
    for part in ["✓ Connection", "✓ update:client_keys", "tenants.shop.domain", "config.toml, line"] {
        assert!(seen.contains(part), "{part}:\n{seen}");
    }
    assert!(!seen.contains(tenant.client_secret()) && !seen.contains(PASSPHRASE));
    assert!(tenant.requests().iter().all(|request| !request.query.contains("client_secret")));
}

#[tokio::test]
async fn that_the_environment_wins_over_a_stored_tenant_is_said() {
    let tenant = tenant().await;
    for (size, said) in [((80, 24), " by environment "), ((120, 36), " by environment, not `acme`")] {
        let domain = rollover::domain::Domain::parse(tenant.url()).expect("a domain");
        let which = Which { beats: Some("acme".into()), ..Which::at(domain, None) };
        let mut app = App::which(which, tenant.token(), size);
        app.idle().await;
        let screen = app.screen();
        assert!(screen.lines().next().is_some_and(|header| header.contains(said)), "{screen}");
    }
}

#[tokio::test]
async fn a_private_key_connects_a_tenant() {
    let options = rollover::sim::Options::default();
    let keyed = super::KEYED.to_owned();
    let tenant = rollover::sim::start(rollover::sim::Options { grants: vec![keyed.clone()], ..options }).await;
    let (tenant, home) = (tenant.expect("a pretend tenant"), home());
    let file = home.path().join("key.pem");
    std::fs::write(&file, tenant.private_key().expect("a key").1).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    for algorithm in ["", "<right>", "<right><right>"] {
        let mut app = App::at_home(home.path(), &[], (120, 36));
        app.idle().await;
        app.type_(&format!("<down><enter>{}<tab>{keyed}<tab>{}<tab>", tenant.url(), file.display())).await;
        app.type_(&format!("{algorithm}<enter>")).await;
        assert!(app.screen().contains("Signed in."), "{}", app.screen());
    }
}

/// auth0-cli's own file, with a token in it, as it writes one where there is no keyring.
#[tokio::test]
async fn what_auth0_cli_is_signed_in_at_is_offered_and_connects() {
    let tls = Some(rollover::sim::TlsOptions::Generate);
    let tenant = rollover::sim::start(rollover::sim::Options { tls, ..rollover::sim::Options::default() }).await;
    let (tenant, home) = (tenant.expect("a pretend tenant"), home());
    let domain = tenant.url().trim_start_matches("https://").to_owned();
    // Its usual token: everything but what rotating needs.
    let token = tenant.mint_token("read:clients read:client_keys read:logs", Duration::from_hours(2));
    let folder = home.path().join("their-home/.config/auth0");
    std::fs::create_dir_all(&folder).expect("a folder");
    let tenants = serde_json::json!({ domain.as_str(): {
        "name": "shop", "domain": domain, "access_token": token, "client_id": "", "expires_at": "2099-01-01T00:00:00Z"
    }});
    let theirs = serde_json::json!({ "install_id": "x", "default_tenant": domain, "tenants": tenants }).to_string();
    std::fs::write(folder.join("config.json"), &theirs).expect("a file");
    let authority = tenant.ca_file().expect("an authority").display().to_string();
    let config = home.path().join("config.toml");
    std::fs::write(&config, format!("ca_file = \"{authority}\"\n")).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let their_home = home.path().join("their-home");
    let their_home = their_home.to_str().expect("a path");
    let mut app = App::at_home(home.path(), &[("HOME", their_home)], (120, 36));
    app.idle().await;
    assert!(app.screen().contains(&format!("{domain}, where auth0-cli is signed in")), "{}", app.screen());
    app.type_("<down><down><down><enter>").await;
    let screen = app.screen();
    assert!(screen.contains("✗ rotate client secrets: needs update:client_keys"), "{screen}");
    assert!(screen.contains("auth0 login --scopes update:client_keys"), "{screen}");
    app.type_("<enter>").await;
    assert!(app.screen().contains("Billing API"), "{}", app.screen());
    app.type_("/billing api<enter><enter>r").await;
    assert!(app.screen().contains("To add it: auth0 login --scopes"), "{}", app.screen());
    assert_eq!(
        std::fs::read_to_string(folder.join("config.json")).expect("the file"),
        theirs,
        "it is read, not written"
    );
    for entry in walk(home.path()).into_iter().filter(|entry| !entry.starts_with(their_home)) {
        let bytes = std::fs::read(&entry).expect("a file");
        assert!(!String::from_utf8_lossy(&bytes).contains(&token), "{}", entry.display());
    }
}

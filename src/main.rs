//! The `rollover` program.
fn main() -> std::process::ExitCode {
    rollover::process::harden();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == rollover::clipboard::HELPER_ARGUMENT) {
        return rollover::clipboard::helper_main();
    }
    if args.first().is_some_and(|a| a == "sim") {
        let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return rt.block_on(async {
            let mut o = rollover::sim::Options::default();
            if let Some(n) = args.get(1) {
                o.tenant = rollover::sim::Population::Generated { clients: n.parse().unwrap(), seed: 7 };
            }
            let r = rollover::sim::start(o).await.unwrap();
            use std::io::Write;
            let _ = writeln!(std::io::stdout(), "{}", r.first_line());
            std::future::pending::<()>().await;
            std::process::ExitCode::SUCCESS
        });
    }
    let start = rollover::tui::Start {
        tenant: if args.first().is_some_and(|a| a == "demo") {
            rollover::tui::StartTenant::Demo
        } else if let (Ok(d), Ok(t)) = (std::env::var("AUTH0_DOMAIN"), std::env::var("AUTH0_API_TOKEN")) {
            let api = rollover::auth0::Api::new(rollover::auth0::Connection {
                domain: rollover::domain::Domain::parse(&d).unwrap(),
                audience: None,
                credentials: rollover::auth0::Credentials::Token(std::sync::Arc::new(rollover::domain::Secret::new(t))),
            })
            .unwrap();
            rollover::tui::StartTenant::Tenant { api: Box::new(api), environment: None }
        } else {
            rollover::tui::StartTenant::None
        },
        mouse: true,
        colours: std::env::var_os("NO_COLOR").is_none(),
    };
    match rollover::tui::run(start) {
        Ok(e) => {
            use std::io::Write;
            for l in e.lines {
                let _ = writeln!(std::io::stderr(), "rollover: {l}");
            }
            std::process::ExitCode::from(e.code)
        }
        Err(e) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{e}");
            std::process::ExitCode::FAILURE
        }
    }
}

//! Every fault of the pretend tenant, before and after the change was applied, in both modes, for the request itself: what must hold
//! whatever happens.
use std::collections::HashSet;
use std::io::Write as _;

use rollover::domain::rollover::{Role, State};
use rollover::rollover::{Until, resume, rotate, rotate_now};

use super::world::{BILLING, World, quiet};

/// How an answer is spoilt.
const FAULTS: [&str; 46] = [
    "drop = \"reset\"",
    "drop = \"fin\"",
    "cut = 0",
    "cut = 1",
    "cut = 17",
    "cut = 120",
    "cut = 400",
    "status = 204\nbody = \"\"",
    "body = \"\"",
    "body = \"<html><body>502</body></html>\"\ncontent_type = \"text/html\"",
    "body = '{\"client_id\":\"'",
    "body = '[]'",
    "body = '{\"client_id\":\"somebody-else\",\"client_secret\":\"x\"}'",
    "remove = [\"client_secret\"]",
    "set = { client_secret = \"null\" }",
    "set = { client_secret = \"\" }",
    "set = { client_secret = 7 }",
    "set = { client_secret = [1, 2] }",
    "repeat = \"client_secret\"",
    "nest = 100000",
    "pad_bytes = 2000000",
    "content_length = 3",
    "content_length = 90000",
    "redirect = \"http://127.0.0.1:1/\"\nstatus = 301",
    "redirect = \"http://127.0.0.1:1/\"\nstatus = 302",
    "redirect = \"https://example.com/\"\nstatus = 303",
    "redirect = \"file:///etc/passwd\"\nstatus = 307",
    "redirect = \"/api/v2/clients\"\nstatus = 308",
    "status = 400\nbody = '{}'",
    "status = 401\nbody = '{\"message\":\"Expired token received for JSON Web Token validation\"}'",
    "status = 403\nbody = '{\"message\":\"Insufficient scope, expected any of: update:client_keys\",\"errorCode\":\"insufficient_scope\"}'",
    "status = 404\nbody = '{}'",
    "status = 408\nbody = ''",
    "status = 409\nbody = '{}'",
    "status = 412\nbody = '{}'",
    "status = 413\nbody = '{}'",
    "status = 429\nheaders = { retry-after = \"0\" }\nbody = '{}'",
    "status = 429\nheaders = { retry-after = \"-1\" }\nbody = '{}'",
    "status = 429\nheaders = { retry-after = \"soon\" }\nbody = '{}'",
    "status = 500\nbody = ''",
    "status = 502\nbody = '<html>'",
    "status = 503\nbody = ''",
    "status = 504\nbody = ''",
    "status = 507\nbody = ''",
    "status = 520\nbody = ''",
    "headers = { x-long = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" }",
];

/// What must hold after every run, however it ended.
fn oracle(world: &World, server: bool, old: &str, cell: &str) {
    let live = world.live();
    let row = world.row();
    // I1: what the server accepts is in the ledger, or can be read there: here it always can. What was sent or received stays sealed.
    let set: HashSet<String> = world.tenant.history(BILLING).into_iter().filter(|secret| secret != old).collect();
    if server {
        // I2: one request, ever.
        assert!(world.changes("POST") <= 1, "{cell}: sent twice");
    } else {
        // I2: one value, however often it is sent.
        assert!(set.len() <= 1, "{cell}: {} values", set.len());
        assert!(
            set.iter().all(|set| world.sealed(Role::New).as_ref() == Some(set)),
            "{cell}: what is live is not sealed"
        );
    }
    // I3: the ledger never says that it is in with another secret live.
    if matches!(row.state, State::Verified | State::Promoting | State::Holding | State::Retired) {
        assert_eq!(world.sealed(Role::New), Some(live.clone()), "{cell}: {:?}", row.state);
    }
    // I4: the old secret is kept until everything is verified.
    if !row.state.is_final() {
        assert_eq!(world.sealed(Role::Old).as_deref(), Some(old), "{cell}: {:?}", row.state);
    }
    // I5: the target holds complete secrets, and nothing else changed.
    let file = world.file(0);
    let new = world.sealed(Role::New);
    let mut possible = vec![World::expected(0, old, None)];
    if let Some(new) = &new {
        possible.extend([
            World::expected(0, old, Some(new)),
            World::expected(0, new, Some(old)),
            World::expected(0, new, None),
        ]);
    }
    assert!(possible.contains(&file), "{cell}: {file}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_before_and_after_in_both_modes_and_what_resume_makes_of_it() {
    let mut cells = 0;
    let mut ends: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for server in [false, true] {
        for when in ["before", "after"] {
            for times in [1, 1_000] {
                for fault in FAULTS {
                    let path = if server { "path = \"/api/v2/clients/*/rotate-secret\"" } else { "method = \"PATCH\"" };
                    let cell = format!("{path}, {when}, {times} times: {fault}");
                    let world =
                        World::faulty(1, &format!("[[fault]]\n{path}\nwhen = \"{when}\"\ntimes = {times}\n{fault}\n"))
                            .await;
                    let old = world.live();
                    let ended = if server {
                        rotate_now(&world.desk, &world.subject, &mut quiet()).await
                    } else {
                        rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await
                    };
                    oracle(&world, server, &old, &cell);
                    let told = format!("{ended:?}");
                    assert!(!told.contains(&old) && !told.contains(&world.live()), "{cell}: {told}");
                    // I7: with the fault gone, two runs bring it to an end, or to where a person decides.
                    world.play("");
                    for _ in 0..2 {
                        if !world.state().is_final() {
                            drop(resume(&world.desk, &world.subject, None, &mut quiet()).await);
                        }
                        oracle(&world, server, &old, &cell);
                    }
                    let state = world.state();
                    let settled = state.is_final()
                        || state.needs_person()
                        || matches!(state, State::Holding | State::Staged | State::Delivered | State::Rejected)
                        // Auth0's own choice is never asked for twice without a person.
                        || (server && state == State::InDoubt);
                    assert!(settled, "{cell}: {state:?}");
                    *ends.entry(state.name()).or_default() += 1;
                    cells += 1;
                }
            }
        }
    }
    writeln!(std::io::stdout(), "{cells} cells: {ends:?}").expect("stdout");
    assert_eq!(cells, 2 * 2 * 2 * FAULTS.len());
}

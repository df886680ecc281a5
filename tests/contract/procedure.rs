use std::time::{Duration, Instant};

use rollover::auth0::{Api, Applied, Error, ErrorKind};
use rollover::domain::rotation::{Outcome, Probe, Progress, Step, StepOutcome, Verdict, Verification};
use rollover::domain::{AuthMethod, Secret};
use rollover::rollover::{RotateNow, rotate_now, settle, verify};
use rollover::sim::{Options, Running};

use super::{BILLING, CHECKOUT, ROTATE, SIGN_IN, api, assert_discreet, demo, faulty, private, requests, rotations};
use super::{scoped, secret, signing_in, started};

/// What a run told, in a form that can be compared: `began`, `done` …, `live`, `note`.
fn told(progress: &[Progress]) -> Vec<(Option<Step>, &'static str)> {
    let one = |progress: &Progress| match progress {
        Progress::Began(step) => (Some(*step), "began"),
        Progress::Note(step, _) => (Some(*step), "note"),
        Progress::Ended(report) => (Some(report.step), report.outcome.name()),
        Progress::Live(_) => (None, "live"),
    };
    progress.iter().map(one).collect()
}

/// Rotates "Billing API" and asserts what must hold of every run: at most one request, what is live is told once and before
/// it is verified, and nothing that is told gives a secret away.
async fn rotated(tenant: &Running, api: &Api) -> (Outcome<Error>, Vec<Progress>) {
    let mut hidden = private(tenant);
    let mut all = Vec::new();
    let request = RotateNow { verify_for: Duration::ZERO, ..RotateNow::new(BILLING.into(), AuthMethod::SecretPost) };
    let outcome = rotate_now(api, &request, &mut |progress| all.push(progress)).await;
    hidden.extend(private(tenant));
    assert!(rotations(tenant).len() <= 1, "{:?}", rotations(tenant));
    let live: Vec<_> =
        all.iter().filter_map(|one| if let Progress::Live(it) = one { Some(it) } else { None }).collect();
    assert_eq!(live, outcome.live_secret().into_iter().collect::<Vec<_>>(), "what is live is told, and told once");
    let position = |what: (Option<Step>, &str)| told(&all).iter().position(|one| *one == what);
    if let Some(at) = position((None, "live")) {
        assert!(position((Some(Step::Verify), "began")).is_some_and(|verifying| at < verifying), "{all:?}");
    }
    let said = format!("{all:?}{outcome:?}");
    assert!(hidden.iter().all(|text| !said.contains(text.as_str())), "{said}");
    (outcome, all)
}

const COMPLETE: Verification = Verification { new: Probe::Accepted, old: Some(Probe::Rejected) };

#[tokio::test]
async fn rotating_reads_rotates_and_verifies() {
    let tenant = demo().await;
    let old = tenant.secret_of(BILLING);
    let (outcome, progress) = rotated(&tenant, &signing_in(&tenant)).await;
    let Outcome::Rotated { secret: Some(new), verification } = outcome else { panic!("{outcome:?}") };
    assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref());
    assert_ne!(tenant.secret_of(BILLING), old);
    assert_eq!(verification, Some(COMPLETE));
    let steps = [
        (Some(Step::ReadBefore), "began"),
        (Some(Step::ReadBefore), "done"),
        (Some(Step::Rotate), "began"),
        (Some(Step::Rotate), "done"),
        (None, "live"),
        (Some(Step::Verify), "began"),
        (Some(Step::Verify), "done"),
    ];
    assert_eq!(told(&progress), steps);
    let patience = RotateNow::new(BILLING.into(), AuthMethod::SecretPost).verify_for;
    assert!(patience > Duration::from_secs(30), "Auth0 speaks of thirty seconds: {patience:?}");
    let sent = requests(&tenant, "POST", "/rotate-secret");
    assert!(sent[0].correlation_id.as_ref().is_some_and(|id| id.len() <= 64), "{sent:?}");
}

#[tokio::test]
async fn what_is_live_is_known_whatever_happened_on_the_way() {
    for (fault, read_back) in [
        ("remove = [\"client_secret\"]", true),
        ("set = { client_secret = \"\" }", true),
        ("twice = true", false),
        ("other_actor = true", false),
        ("repeat = \"client_secret\"", false),
        ("delay_ms = 50", false),
    ] {
        let tenant = faulty(&format!("{ROTATE}{fault}\n")).await;
        let (outcome, progress) = rotated(&tenant, &api(&tenant)).await;
        let Outcome::Rotated { secret: Some(new), verification } = outcome else { panic!("{fault}: {outcome:?}") };
        assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref(), "{fault}");
        assert_eq!(verification, Some(COMPLETE), "{fault}");
        assert_eq!(told(&progress).contains(&(Some(Step::ReadAfter), "done")), read_back, "{fault}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_an_applied_request_is_settled_as_changed() {
    for fault in ["drop = \"reset\"", "drop = \"fin\"", "cut = 60", "status = 502", "body = \"<html>\"", "status = 308"]
    {
        let tenant = faulty(&format!("{ROTATE}when = \"after\"\n{fault}\n")).await;
        let old = tenant.secret_of(BILLING).expect("a secret");
        let (outcome, progress) = rotated(&tenant, &api(&tenant)).await;
        let Outcome::InDoubt { error, verdict: Verdict::Changed(new), before } = outcome else {
            panic!("{fault}: {outcome:?}")
        };
        assert_eq!(error.applied, Applied::InDoubt);
        assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref(), "{fault}");
        assert_eq!(before.as_deref().map(Secret::expose), Some(old.as_str()), "{fault}");
        let told = told(&progress);
        for step in [(Some(Step::Rotate), "in_doubt"), (Some(Step::ReadAfter), "done"), (Some(Step::Verify), "done")] {
            assert!(told.contains(&step), "{fault}: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_was_not_applied_or_does_not_show_yet_is_settled_as_unchanged() {
    for (fault, applied) in [
        ("when = \"before\"\ndrop = \"reset\"", false),
        ("when = \"before\"\nstatus = 504", false),
        ("when = \"after\"\ndrop = \"fin\"\nstale_seconds = 45", true),
    ] {
        let tenant = faulty(&format!("{ROTATE}{fault}\n")).await;
        let old = tenant.secret_of(BILLING);
        let (outcome, progress) = rotated(&tenant, &api(&tenant)).await;
        let Outcome::InDoubt { verdict: Verdict::Unchanged, before, .. } = &outcome else {
            panic!("{fault}: {outcome:?}")
        };
        assert_eq!(before.as_deref().map(|before| before.expose().to_owned()), old);
        assert_eq!(tenant.secret_of(BILLING) != old, applied, "{fault}");
        let detail = progress.iter().find_map(|one| match one {
            Progress::Ended(report) if report.step == Step::ReadAfter => Some(report.detail.clone()),
            _ => None,
        });
        assert!(detail.is_some_and(|detail| detail.contains("may arrive late")), "it claims no more than it saw");
    }
}

#[tokio::test]
async fn without_a_secret_to_compare_nothing_is_claimed() {
    let tenant = faulty(&format!("{ROTATE}drop = \"reset\"\n")).await;
    let blind = scoped(&tenant, "update:client_keys read:clients");
    let (outcome, progress) = rotated(&tenant, &blind).await;
    let Outcome::InDoubt { verdict: Verdict::CannotKnow(why), before: None, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(why.contains("could not be read before"), "{why}");
    assert!(told(&progress).contains(&(Some(Step::ReadBefore), "skipped")));

    let reads = "[[fault]]\nmethod = \"GET\"\nskip = 1\nremove = [\"client_secret\"]\n";
    let tenant = faulty(&format!("{ROTATE}drop = \"reset\"\n{reads}")).await;
    let (outcome, _) = rotated(&tenant, &api(&tenant)).await;
    let Outcome::InDoubt { verdict: Verdict::CannotKnow(why), before: Some(_), .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(why.contains("shows no secret"), "{why}");

    let reads = "[[fault]]\nmethod = \"GET\"\nskip = 1\nwhen = \"before\"\nstatus = 404\n";
    let tenant = faulty(&format!("{ROTATE}drop = \"reset\"\n{reads}")).await;
    let (outcome, _) = rotated(&tenant, &api(&tenant)).await;
    let Outcome::InDoubt { verdict: Verdict::CannotKnow(why), .. } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("404"), "{why}");
}

#[tokio::test]
async fn a_refusal_changes_nothing_and_asks_nothing_more() {
    let refused = "when = \"before\"\nstatus = 429\n";
    let tenant = faulty(&format!("{ROTATE}{refused}")).await;
    let old = tenant.secret_of(BILLING);
    let (outcome, progress) = rotated(&tenant, &api(&tenant)).await;
    let Outcome::NotApplied(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!((&error.kind, tenant.secret_of(BILLING)), (&ErrorKind::RateLimited, old));
    assert_discreet(&error, &private(&tenant));
    assert_eq!(told(&progress).last(), Some(&(Some(Step::Rotate), "failed")));
    assert_eq!(tenant.requests().len(), 2, "the read before, and the one that was refused");
}

#[tokio::test]
async fn a_new_secret_that_cannot_be_seen_is_said_to_be_there() {
    let tenant = demo().await;
    let old = tenant.secret_of(BILLING);
    let (outcome, progress) = rotated(&tenant, &scoped(&tenant, "update:client_keys read:clients")).await;
    assert_eq!(outcome, Outcome::Rotated { secret: None, verification: None });
    assert_ne!(tenant.secret_of(BILLING), old);
    assert_eq!(told(&progress).last(), Some(&(Some(Step::ReadAfter), "failed")));
    // The read after still shows the old one: that is no new secret.
    let tenant = faulty(&format!("{ROTATE}remove = [\"client_secret\"]\nstale_seconds = 45\n")).await;
    let (outcome, _) = rotated(&tenant, &api(&tenant)).await;
    assert_eq!(outcome, Outcome::Rotated { secret: None, verification: None });
}

#[tokio::test]
async fn a_read_before_that_fails_is_told_and_does_not_stop_a_rotation() {
    let tenant = faulty("[[fault]]\nmethod = \"GET\"\nwhen = \"before\"\nstatus = 404\n").await;
    let (outcome, progress) = rotated(&tenant, &api(&tenant)).await;
    let Outcome::Rotated { secret: Some(new), verification } = outcome else { panic!("{outcome:?}") };
    assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref());
    assert_eq!(verification, Some(Verification { new: Probe::Accepted, old: None }), "there is no old one to try");
    assert!(told(&progress).contains(&(Some(Step::ReadBefore), "failed")));
}

#[tokio::test]
async fn settling_compares_with_the_secret_before() {
    let tenant = demo().await;
    let api = api(&tenant);
    let before = secret(&tenant.secret_of(BILLING).expect("a secret"));
    assert_eq!(settle(&api, BILLING, Some(&before)).await, Verdict::Unchanged);
    tenant.act_as_other(BILLING);
    let now = secret(&tenant.secret_of(BILLING).expect("a secret"));
    assert_eq!(settle(&api, BILLING, Some(&before)).await, Verdict::Changed(now));
    let asked = tenant.requests().len();
    assert!(matches!(settle(&api, BILLING, None).await, Verdict::CannotKnow(_)));
    assert_eq!(tenant.requests().len(), asked, "there is nothing to ask");
    assert!(matches!(settle(&api, "nobody", Some(&before)).await, Verdict::CannotKnow(why) if why.contains("404")));
}

/// Verifies "Checkout" with its live secret and another.
async fn verified(tenant: &Running, auth: AuthMethod, patience: Duration) -> (Option<Verification>, Vec<Progress>) {
    let (api, mut all) = (api(tenant), Vec::new());
    let live = secret(&tenant.secret_of(CHECKOUT).expect("a secret"));
    let old = secret("the-old-one");
    let seen = verify(&api, CHECKOUT, &auth, &live, Some(&old), patience, &mut |one| all.push(one)).await;
    (seen, all)
}

#[tokio::test]
async fn verifying_tells_what_the_token_endpoint_says() {
    let tenant = demo().await;
    let (seen, told_of) = verified(&tenant, AuthMethod::SecretBasic, Duration::ZERO).await;
    assert_eq!(seen, Some(COMPLETE));
    assert_eq!(told(&told_of), [(Some(Step::Verify), "began"), (Some(Step::Verify), "done")]);
    let (seen, told_of) = verified(&tenant, AuthMethod::PrivateKeyJwt, Duration::ZERO).await;
    assert_eq!((seen, told(&told_of)[1]), (None, (Some(Step::Verify), StepOutcome::Skipped.name())));
    let down = faulty(&format!("{SIGN_IN}when = \"before\"\nstatus = 503\n")).await;
    let (seen, told_of) = verified(&down, AuthMethod::SecretBasic, Duration::from_secs(35)).await;
    assert!(matches!(seen, Some(Verification { new: Probe::Unknown(_), old: Some(Probe::Unknown(_)) })), "{seen:?}");
    assert_eq!(told(&told_of)[1], (Some(Step::Verify), "skipped"), "nobody waits 35 s for an endpoint that is down");
}

#[tokio::test]
async fn verifying_waits_until_the_old_secret_is_out_or_the_time_is_over() {
    let propagating = |propagation| started(Options { propagation, ..Options::default() });
    let (soon, never) = tokio::join!(propagating(Duration::from_secs(1)), propagating(Duration::from_hours(1)));
    let run = async |tenant: &Running, patience| {
        let old = secret(&tenant.secret_of(BILLING).expect("a secret"));
        tenant.act_as_other(BILLING);
        let new = secret(&tenant.secret_of(BILLING).expect("a secret"));
        let (api, mut all, begun) = (api(tenant), Vec::new(), Instant::now());
        let auth = AuthMethod::SecretPost;
        let seen = verify(&api, BILLING, &auth, &new, Some(&old), patience, &mut |one| all.push(one)).await;
        (seen, told(&all), begun.elapsed())
    };
    let (patience, impatience) = (Duration::from_secs(30), Duration::from_secs(1));
    let ((seen, steps, _), (unseen, failed, took)) = tokio::join!(run(&soon, patience), run(&never, impatience));
    assert_eq!(seen, Some(COMPLETE));
    assert!(steps.contains(&(Some(Step::Verify), "note")), "the wait is told: {steps:?}");
    assert_eq!(steps.last(), Some(&(Some(Step::Verify), "done")));
    assert_eq!(unseen, Some(Verification { new: Probe::Accepted, old: Some(Probe::Accepted) }));
    assert_eq!(failed.last(), Some(&(Some(Step::Verify), "failed")));
    assert!(took < patience, "it gives up in time: {took:?}");
}

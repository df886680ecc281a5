//! What every command that changes secrets has: one client's procedure with its progress and interruptions, and the rows that tell
//! what came of it.
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::desk;
use super::exit::{Failure, code};
use super::interrupt::Interrupts;
use super::output::{Output, report, say};
use super::session::{Fingerprints, Session};
use super::show::{called, secret_object};
use crate::domain::rollover::{Mode, State};
use crate::domain::rotation::{Progress, Step, StepOutcome, StepReport};
use crate::domain::{Client, Rollover, Secret, Untrusted};
use crate::ledger::LedgerError;
use crate::rollover::{self, Desk, Subject, Trouble, TroubleKind, Until, now};

/// What is done to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// One step.
    Stage,
    /// One step.
    Deliver,
    /// One step; whether targets may lack the pending secret.
    Cutover(bool),
    /// One step.
    Verify,
    /// One step.
    Promote,
    /// One step.
    Retire,
    /// The way back.
    Rollback,
    /// Settle what is in doubt, and finish what was begun.
    Resume(Option<rollover::Choice>),
    /// Give it up.
    Abandon,
    /// The whole, up to a step; whether there may be no target.
    Rotate(Until, bool),
    /// The one-call way.
    RotateNow,
}

impl Procedure {
    async fn run(self, desk: &Desk, subject: &Subject, progress: &mut (dyn FnMut(Progress) + Send)) -> rollover::Ended {
        match self {
            Self::Stage => rollover::stage(desk, subject, progress).await,
            Self::Deliver => rollover::deliver(desk, subject, progress).await,
            Self::Cutover(anyway) => rollover::cutover(desk, subject, anyway, progress).await,
            Self::Verify => rollover::verify(desk, subject, progress).await,
            Self::Promote => rollover::promote(desk, subject, progress).await,
            Self::Retire => rollover::retire(desk, subject, progress).await,
            Self::Rollback => rollover::rollback(desk, subject, progress).await,
            Self::Resume(choice) => rollover::resume(desk, subject, choice, progress).await,
            Self::Abandon => rollover::abandon(desk, subject, progress).await,
            Self::Rotate(until, anyway) => rollover::rotate(desk, subject, until, anyway, progress).await,
            Self::RotateNow => rollover::rotate_now(desk, subject, progress).await,
        }
    }

    /// Where the rollover stands when this has done what it was asked to.
    fn goal(self) -> Option<State> {
        match self {
            Self::Rotate(Until::Promote, _) => Some(State::Holding),
            Self::Rotate(Until::Retire, _) => Some(State::Retired),
            _ => None,
        }
    }
}

/// What came of one client.
pub struct Outcome {
    /// Its id.
    pub client_id: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// One word, as scripts know it.
    pub word: &'static str,
    /// Where its rollover stands, where it has one.
    pub rollover: Option<Rollover>,
    /// What was done in this run.
    pub steps: Vec<StepReport>,
    /// The live secret, where this run learnt it.
    pub secret: Option<Arc<Secret>>,
    /// Not for what went well, nor for what was not asked for.
    pub failure: Option<Failure>,
}

impl Outcome {
    pub fn new(client: &Client, word: &'static str) -> Self {
        let summary = &client.summary;
        let (client_id, name) = (summary.client_id.clone(), summary.name.clone());
        Self { client_id, name, word, rollover: None, steps: Vec::new(), secret: None, failure: None }
    }

    pub fn step(mut self, step: Step, outcome: StepOutcome, detail: &str) -> Self {
        self.steps.push(StepReport { step, outcome, at: now(), detail: detail.to_owned() });
        self
    }
}

pub fn interrupted() -> Failure {
    Failure {
        code: code::INTERRUPTED,
        kind: "interrupted",
        message: "interrupted: what is listed as skipped was not begun".to_owned(),
        ..Failure::default()
    }
}

/// What a procedure has told so far.
#[derive(Default)]
struct Told {
    step: Option<Step>,
    steps: Vec<StepReport>,
    rollover: Option<Rollover>,
    live: Option<Arc<Secret>>,
}

/// Runs a procedure on one client. A key that the ledger needs on the way is asked for, and the procedure goes on.
pub async fn run_one(
    session: &Session,
    desk: &Desk,
    client: &Client,
    procedure: Procedure,
    output: &Output,
    interrupts: &mut Interrupts,
) -> Outcome {
    let id = client.summary.client_id.raw();
    let subject = desk::subject(session, client);
    let name = called(client);
    let told = Mutex::new(Told::default());
    let told = || told.lock().unwrap_or_else(PoisonError::into_inner);
    let mut unlocked = false;
    let ended = loop {
        let mut progress = |progress: Progress| match progress {
            Progress::Began(step) => {
                output.progress(&format!("{name}: {}…", step.doing()));
                told().step = Some(step);
            }
            Progress::Note(_, note) => output.progress(&format!("{name}: {note}")),
            Progress::Ended(report) => told().steps.push(report),
            Progress::Recorded(rollover) => told().rollover = Some(*rollover),
            Progress::Live(secret) => told().live = Some(secret),
        };
        let running: Pin<Box<dyn Future<Output = rollover::Ended>>> =
            Box::pin(procedure.run(desk, &subject, &mut progress));
        let ended = until_interrupted(running, interrupts, &|| told().step).await;
        // A procedure can be run again from where it stands; but for rotating now, which holds all it needs.
        let locked = matches!(&ended, Some(Err(Trouble { kind: TroubleKind::Ledger(LedgerError::Locked), .. })));
        if !locked || unlocked || procedure == Procedure::RotateNow {
            break ended;
        }
        unlocked = true;
        if let Err(failure) = desk::unlocked(&session.tenants, &desk.ledger).await {
            let Told { steps, rollover, .. } = std::mem::take(&mut *told());
            let outcome = Outcome { rollover, steps, ..Outcome::new(client, "failed") };
            return Outcome { failure: Some(failure.about(id)), ..outcome };
        }
    };
    let Told { steps, rollover, live, .. } = std::mem::take(&mut *told());
    let outcome = Outcome { rollover, steps, ..Outcome::new(client, "done") };
    match ended {
        Some(Ok(done)) => succeeded(outcome, procedure, done),
        Some(Err(trouble)) => failed(outcome, id, trouble),
        None => {
            // What was being recorded when it was let go is on the disk all the same.
            let latest = desk.ledger.latest(desk.api.domain(), id).ok().flatten().filter(|row| !row.state.is_final());
            let rollover = latest.or(outcome.rollover);
            cut_short(Outcome { rollover, ..outcome }, id, &name, live)
        }
    }
}

/// Runs to the end, or to where an interruption may end it: a request on its way is waited for, once.
async fn until_interrupted(
    mut running: Pin<Box<dyn Future<Output = rollover::Ended> + '_>>,
    interrupts: &mut Interrupts,
    step: &dyn Fn() -> Option<Step>,
) -> Option<rollover::Ended> {
    loop {
        tokio::select! {
            biased;
            ended = &mut running => return Some(ended),
            () = interrupts.next() => match step() {
                // Whoever ended it here would be locked out by the next start.
                Some(Step::Keep) => say("rollover: the new secret is being stored; waiting for that"),
                Some(Step::Rotate | Step::CutOver | Step::RollBack) if interrupts.count() == 1 => {
                    say("rollover: the request is on its way; waiting for its answer (interrupt again to leave it in doubt)");
                }
                // What was done is recorded, and the rest can be gone on with: nothing is lost by letting go.
                _ => return None,
            },
        }
    }
}

fn succeeded(outcome: Outcome, procedure: Procedure, done: rollover::Done) -> Outcome {
    let held = procedure.goal().is_none() && matches!(procedure, Procedure::Rotate(..));
    let word = if held { "held" } else { "done" };
    Outcome { word, secret: done.secret, rollover: Some(done.rollover), ..outcome }
}

fn failed(outcome: Outcome, id: &str, trouble: Trouble) -> Outcome {
    let word = match &trouble.kind {
        TroubleKind::InDoubt => "in_doubt",
        TroubleKind::Auth0(error) if error.status.is_some() => "rejected",
        // Staged, and stopped at what the user has to give first.
        TroubleKind::Targets if trouble.rollover.as_ref().is_some_and(|row| row.state == State::Staged) => "held",
        _ => "failed",
    };
    let rollover = trouble.rollover.as_deref().cloned().or(outcome.rollover);
    let secret = trouble.unsaved.clone();
    Outcome { word, rollover, secret, failure: Some(Failure::from(trouble).about(id)), ..outcome }
}

fn cut_short(outcome: Outcome, id: &str, name: &str, live: Option<Arc<Secret>>) -> Outcome {
    let row = outcome.rollover.as_ref();
    if live.is_some() && row.is_some_and(|row| row.mode == Mode::Server) {
        // It is live and sealed; what was left is to verify it.
        return Outcome { secret: live, ..outcome };
    }
    if row.is_some_and(Rollover::in_doubt) {
        let failure = Failure {
            code: code::IN_DOUBT,
            kind: "in_doubt",
            message: format!("“{name}” is in doubt: interrupted before Auth0's answer came"),
            hint: "`rollover resume` settles it.".to_owned(),
            ..Failure::default()
        };
        return Outcome { word: "in_doubt", failure: Some(failure.about(id)), ..outcome };
    }
    let begun = row.is_some_and(|row| !matches!(row.state, State::Planned | State::Baselined));
    let word = if begun { "held" } else { "skipped" };
    Outcome { word, failure: Some(interrupted().about(id)), ..outcome }
}

/// Runs a procedure on several clients, one after the other; what fails for one and would fail for all ends it.
pub async fn run_all(
    session: &Session,
    desk: &Desk,
    clients: &[Client],
    procedure: Procedure,
    output: &Output,
) -> Result<Vec<Outcome>, Failure> {
    use StepOutcome::Skipped;
    let first = first_step(procedure);
    let mut interrupts = Interrupts::new().map_err(|error| super::cannot_start(&error))?;
    let mut all = Vec::new();
    let mut stopped: Option<&str> = None;
    for client in clients {
        let id = client.summary.client_id.raw();
        if let Some(why) = stopped {
            all.push(Outcome::new(client, "skipped").step(first, Skipped, why));
            continue;
        }
        if let Some(reason) = crate::domain::client::not_rotatable(&client.summary.auth) {
            let failure =
                Failure::failed("not_rotatable", format!("“{}” cannot be rotated: {reason}", called(client)), "");
            let outcome = Outcome::new(client, "skipped").step(first, Skipped, reason);
            all.push(Outcome { failure: Some(failure.about(id)), ..outcome });
            continue;
        }
        let outcome = run_one(session, desk, client, procedure, output, &mut interrupts).await;
        stopped = if interrupts.seen() {
            Some("interrupted before this client's turn")
        } else {
            outcome.failure.as_ref().and_then(|failure| match failure.code {
                code::IN_DOUBT => Some("not begun: an earlier client is in doubt"),
                code::NOT_SIGNED_IN | code::NOT_PERMITTED | code::UNREACHABLE | code::LEDGER => {
                    Some("not begun: what failed for an earlier client would fail for this one too")
                }
                _ => None,
            })
        };
        all.push(outcome);
    }
    if interrupts.seen() && all.iter().all(|outcome| outcome.failure.is_none()) {
        for outcome in all.iter_mut().filter(|outcome| outcome.word == "skipped") {
            outcome.failure = Some(interrupted());
        }
    }
    Ok(all)
}

/// The step that a client's turn begins with.
fn first_step(procedure: Procedure) -> Step {
    match procedure {
        Procedure::RotateNow => Step::Rotate,
        Procedure::Stage | Procedure::Rotate(..) => Step::Stage,
        Procedure::Deliver => Step::Deliver,
        Procedure::Cutover(_) => Step::CutOver,
        Procedure::Verify => Step::Verify,
        Procedure::Promote => Step::Promote,
        Procedure::Retire => Step::Retire,
        Procedure::Rollback => Step::RollBack,
        Procedure::Resume(_) => Step::ReadAfter,
        Procedure::Abandon => Step::Abandon,
    }
}

pub fn print(output: &mut Output, all: &[Outcome], prints: &Fingerprints, reveal: bool) -> Result<(), Failure> {
    if output.json {
        let documents: Vec<Value> = all.iter().map(|outcome| document(outcome, prints, reveal)).collect();
        return Ok(output.document(&documents)?);
    }
    let rows = all.iter().map(|outcome| {
        let print = outcome.secret.as_ref().and_then(|secret| prints.of(secret));
        let print: Cow<'_, str> = print.map(|print| print.to_string()).unwrap_or_default().into();
        [outcome.client_id.raw().into(), outcome.name.raw().into(), outcome.word.into(), print]
    });
    if reveal {
        let revealed = rows.zip(all).map(|([id, name, outcome, print], done)| {
            let secret = done.secret.as_ref().map(|secret| secret.expose()).unwrap_or_default();
            [id, name, outcome, print, secret.into()]
        });
        return Ok(output.rows(["CLIENT ID", "NAME", "OUTCOME", "FINGERPRINT", "SECRET"], revealed)?);
    }
    Ok(output.rows(["CLIENT ID", "NAME", "OUTCOME", "FINGERPRINT"], rows)?)
}

/// A step, as every document has it.
pub fn step_object(step: &StepReport) -> Value {
    json!({ "step": step.step.name(), "outcome": step.outcome.name(), "at": step.at, "detail": step.detail })
}

fn document(outcome: &Outcome, prints: &Fingerprints, reveal: bool) -> Value {
    json!({
        "client_id": outcome.client_id.raw(),
        "name": Some(outcome.name.raw()).filter(|name| !name.is_empty()),
        "outcome": outcome.word,
        "rollover_id": outcome.rollover.as_ref().map(|rollover| rollover.id.as_str()),
        "state": outcome.rollover.as_ref().map(|rollover| rollover.state.name()),
        "steps": outcome.steps.iter().map(step_object).collect::<Vec<_>>(),
        "secret": secret_object(outcome.secret.as_deref(), Some(prints), reveal),
    })
}

/// Reports what failed, says what to do next, and chooses the exit code.
pub fn conclude(all: &[Outcome], json: bool, reveal: bool) -> u8 {
    let mut told = false;
    let mut tell = |failure: &Failure| {
        // One document on stderr, not several.
        if !(json && told) {
            report(failure, json);
        }
        told = true;
    };
    for failure in all.iter().filter_map(|outcome| outcome.failure.as_ref()) {
        tell(failure);
    }
    for outcome in all {
        let kept = outcome.steps.iter().find(|step| step.step == Step::Keep && step.outcome == StepOutcome::Failed);
        if let Some(step) = kept {
            // The change is done all the same, and the exit code says so.
            let message = format!(
                "the new secret of “{}”, with which rollover signs in, was not stored: {}",
                outcome.name.shown(),
                step.detail
            );
            let hint = if reveal { "" } else { "The dashboard shows it: Applications, the client, Settings." };
            tell(&Failure::failed("not_kept", message, hint).about(outcome.client_id.raw()));
        }
    }
    let output = Output::new(json);
    for outcome in all.iter().filter(|outcome| outcome.failure.is_none()) {
        if let Some(line) = next_line(outcome, reveal) {
            output.progress(&format!("{}: {line}.", outcome.name.shown()));
        }
    }
    exit_code(all)
}

/// What a person reads of what went well, and what comes next.
fn next_line(outcome: &Outcome, reveal: bool) -> Option<String> {
    let row = outcome.rollover.as_ref()?;
    let verified = outcome.steps.iter().rfind(|step| step.step == Step::Verify && !step.detail.is_empty());
    let verified = verified.map(|step| format!("{}; ", step.detail)).unwrap_or_default();
    let next = match (row.mode, row.state) {
        (Mode::Server, _) if outcome.secret.is_none() => {
            "rotated, but the new secret cannot be read with this token".to_owned()
        }
        (Mode::Server, State::Holding) => {
            "rotated; the old secret is still kept: `rollover retire` drops it once it is refused".to_owned()
        }
        (Mode::Server, _) if reveal => return None,
        (Mode::Server, _) => "rotated; `rollover copy` puts the new secret into the clipboard".to_owned(),
        (Mode::Set, State::Staged) => "staged; nothing has changed at Auth0. `rollover deliver` comes next".to_owned(),
        (Mode::Set, State::Delivered) => {
            "the targets have it as the fallback. `rollover cutover` makes it live".to_owned()
        }
        (Mode::Set, State::Applied) => "live. `rollover verify` comes next".to_owned(),
        (Mode::Set, State::Verified) => format!("{verified}`rollover promote` comes next"),
        (Mode::Set, State::Holding) => format!(
            "{verified}the old secret is the fallback. `rollover retire` drops it once nothing uses it, `rollover rollback` goes back"
        ),
        (Mode::Set, State::Retired) => "done; the old secret is dropped".to_owned(),
        (_, State::RolledBack) => format!("{verified}the old secret is live again"),
        (_, State::Abandoned) => "given up; nothing has changed at Auth0".to_owned(),
        _ => return None,
    };
    Some(next)
}

fn exit_code(all: &[Outcome]) -> u8 {
    let codes: Vec<u8> =
        all.iter().map(|outcome| outcome.failure.as_ref().map_or(code::DONE, |failure| failure.code)).collect();
    let is_done = |outcome: &Outcome| matches!(outcome.word, "done" | "held") && outcome.failure.is_none();
    let any_done = all.iter().any(is_done);
    let all_done = all.iter().all(is_done);
    match codes.iter().copied().filter(|code| *code != code::DONE).collect::<Vec<_>>().as_slice() {
        [] if all_done => code::DONE,
        found if found.contains(&code::IN_DOUBT) => code::IN_DOUBT,
        found if found.contains(&code::INTERRUPTED) => code::INTERRUPTED,
        _ if any_done => code::PARTLY_DONE,
        [first, rest @ ..] if rest.iter().all(|code| code == first) => *first,
        _ => code::FAILED,
    }
}

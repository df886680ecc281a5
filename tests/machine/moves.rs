//! What can happen in a case: the procedures, the faults in their way, crashes, other people.
use proptest::prelude::*;
use proptest::sample::select;
use rollover::domain::rollover::State;
use rollover::rollover::{Choice, Until};

use super::bench::MOST_LATE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Stage,
    Deliver,
    Cutover(bool),
    Verify,
    Promote,
    Retire,
    Rollback,
    Abandon,
    Resume(Option<Choice>),
    Rotate(Until, bool),
    /// From the cutover on, whatever the targets lack.
    GoLive,
    RotateNow,
    /// Somebody else rotates the client.
    Other,
    /// Somebody else makes the secret live that was live before the rollover.
    SetBack,
    /// Somebody else writes a target.
    Edit(usize, Edit),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another line.
    Line,
    /// A secret that is not ours.
    Foreign,
    /// The key twice: nobody can tell which counts.
    Twice,
    /// As it should be: the live secret.
    Mended,
}

/// When a program dies.
#[derive(Clone, Copy, Debug)]
pub enum Crash {
    /// Where it waits for the first time after it told of so many things.
    Told(usize),
    /// After it was woken so many times.
    Woken(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Patch,
    Rotate,
    Read,
    Token,
    Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The connection ends: by a reset, or in order.
    Drop(bool),
    /// The answer ends after so many bytes.
    Cut(u8),
    /// Nobody knows whether it was applied.
    Status(u16),
    /// It was not applied.
    Refused(u16),
    /// The answer cannot be read.
    Garbage,
    /// The answer shows no secret.
    Hidden,
    /// The request arrives so many milliseconds after the answer.
    Late(u16),
    /// The read shows what was live before this move.
    Stale,
    /// Somebody else rotates the client just before.
    Other,
    /// Auth0 rotates twice.
    Twice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub place: Where,
    pub kind: Kind,
    /// Before it was applied, or after.
    pub before: bool,
    pub skip: u8,
    pub times: u8,
}

impl Fault {
    /// For a scenario. `live`: what was live before this move.
    pub fn text(self, id: &str, live: &str) -> String {
        let place = match self.place {
            Where::Patch => format!("method = \"PATCH\"\npath = \"/api/v2/clients/{id}\""),
            Where::Rotate => format!("method = \"POST\"\npath = \"/api/v2/clients/{id}/rotate-secret\""),
            Where::Read => format!("method = \"GET\"\npath = \"/api/v2/clients/{id}\""),
            Where::Token => "path = \"/oauth/token\"".to_owned(),
            Where::Log => "path = \"/api/v2/logs\"".to_owned(),
        };
        let what = match self.kind {
            Kind::Drop(true) => "drop = \"reset\"".to_owned(),
            Kind::Drop(false) => "drop = \"fin\"".to_owned(),
            Kind::Cut(bytes) => format!("cut = {bytes}"),
            Kind::Status(status) => format!("status = {status}\nbody = \"<html>\""),
            Kind::Refused(status) => format!("status = {status}\nbody = '{{}}'\nheaders = {{ retry-after = \"0\" }}"),
            Kind::Garbage => "body = \"<html>\"\ncontent_type = \"text/html\"".to_owned(),
            Kind::Hidden => "remove = [\"client_secret\"]".to_owned(),
            Kind::Late(by) => format!("late_ms = {by}\ndrop = \"reset\""),
            Kind::Stale => format!("set = {{ client_secret = \"{live}\" }}"),
            Kind::Other => "other_actor = true".to_owned(),
            Kind::Twice => "twice = true".to_owned(),
        };
        let when = if self.before { "before" } else { "after" };
        let (skip, times) = (self.skip, self.times);
        format!("[[fault]]\n{place}\nskip = {skip}\ntimes = {times}\nwhen = \"{when}\"\n{what}\n")
    }
}

/// One transition.
#[derive(Clone, Debug)]
pub struct Step {
    pub what: Move,
    pub faults: Vec<Fault>,
    pub crash: Option<Crash>,
}

impl Step {
    /// How many secrets somebody else may make live while it runs.
    pub fn others(&self) -> usize {
        let faults = self.faults.iter().filter(|fault| fault.kind == Kind::Other);
        usize::from(matches!(self.what, Move::Other | Move::SetBack))
            + faults.map(|fault| usize::from(fault.times)).sum::<usize>()
    }

    pub fn is_procedure(&self) -> bool {
        !matches!(self.what, Move::Other | Move::SetBack | Move::Edit(..))
    }
}

/// What a case begins with, and where its rollover stands if all goes well: so that most of what is tried can be done.
#[derive(Clone, Debug)]
pub struct Course {
    pub targets: usize,
    pub seeing: bool,
    likely: State,
}

impl Course {
    pub fn any() -> BoxedStrategy<Self> {
        (0..=3_usize, prop::bool::weighted(0.8))
            .prop_map(|(targets, seeing)| Self { targets, seeing, likely: State::Retired })
            .boxed()
    }

    pub fn next(&self) -> BoxedStrategy<Step> {
        let natural = match self.likely {
            State::Staged => vec![
                Move::Deliver,
                Move::Cutover(self.targets == 0),
                Move::Cutover(true),
                Move::Rotate(Until::Verify, true),
                Move::GoLive,
            ],
            State::Delivered => {
                vec![Move::GoLive, Move::Cutover(false), Move::Cutover(true), Move::Rotate(Until::Promote, false)]
            }
            State::Applied => vec![Move::Verify, Move::Resume(None), Move::Rollback],
            State::Verified => vec![Move::Promote, Move::Rollback, Move::Resume(None)],
            State::Holding => vec![Move::Retire, Move::Rollback, Move::Verify, Move::Promote, Move::RotateNow],
            _ => vec![
                Move::Stage,
                Move::Rotate(Until::Deliver, true),
                Move::Rotate(Until::Cutover, true),
                Move::Rotate(Until::Promote, true),
                Move::Rotate(Until::Retire, true),
                Move::RotateNow,
            ],
        };
        let mut any = vec![
            Move::Stage,
            Move::Deliver,
            Move::Cutover(false),
            Move::Cutover(true),
            Move::Verify,
            Move::Promote,
            Move::Retire,
            Move::Rollback,
            Move::Abandon,
            Move::RotateNow,
            Move::GoLive,
        ];
        any.extend(Until::ALL.map(|until| Move::Rotate(until, false)));
        let resumes =
            vec![Move::Resume(None), Move::Resume(Some(Choice::KeepTheirs)), Move::Resume(Some(Choice::SetOurs))];
        let mut meddling = vec![Move::Other, Move::Other, Move::SetBack];
        for number in 0..self.targets {
            meddling
                .extend([Edit::Line, Edit::Foreign, Edit::Twice, Edit::Mended].map(|edit| Move::Edit(number, edit)));
        }
        let what = prop_oneof![
            10 => select(natural),
            4 => select(any),
            4 => select(resumes),
            2 => select(meddling),
        ];
        let faults = prop_oneof![
            5 => Just(Vec::new()),
            4 => fault().prop_map(|fault| vec![fault]),
            1 => (fault(), fault()).prop_map(|(one, two)| vec![one, two]),
        ];
        let crash = prop_oneof![
            6 => Just(None),
            2 => (0..24_usize).prop_map(|told| Some(Crash::Told(told))),
            2 => (1..90_usize).prop_map(|woken| Some(Crash::Woken(woken))),
        ];
        (what, faults, crash)
            .prop_map(|(what, faults, crash)| match what {
                Move::Other | Move::SetBack | Move::Edit(..) => Step { what, faults: Vec::new(), crash: None },
                what => {
                    // Of the two requests that change something it sends one.
                    let (never, instead) = match what {
                        Move::RotateNow => (Where::Patch, Where::Rotate),
                        _ => (Where::Rotate, Where::Patch),
                    };
                    let spoil = |fault: Fault| match fault {
                        Fault { kind: Kind::Twice, .. } => fault,
                        Fault { place, .. } if place == never => Fault { place: instead, ..fault },
                        fault => fault,
                    };
                    Step { what, faults: faults.into_iter().map(spoil).collect(), crash }
                }
            })
            .boxed()
    }

    pub fn after(mut self, step: &Step) -> Self {
        self.likely = match (step.what, self.likely) {
            (Move::Stage | Move::Rotate(Until::Stage, _), _) => State::Staged,
            (Move::Deliver, State::Staged) | (Move::Rotate(Until::Deliver, _), _) => State::Delivered,
            (Move::Cutover(_), State::Staged | State::Delivered) | (Move::Rotate(Until::Cutover, _), _) => {
                State::Applied
            }
            (Move::Verify, State::Applied) | (Move::Rotate(Until::Verify, _), _) => State::Verified,
            (Move::Promote, State::Verified)
            | (Move::Resume(_), State::Applied | State::Verified)
            | (Move::Rotate(Until::Promote, _), _)
            | (Move::GoLive, State::Staged | State::Delivered) => State::Holding,
            (Move::RotateNow | Move::Rollback | Move::Abandon | Move::Rotate(Until::Retire, _), _)
            | (Move::Retire, State::Holding) => State::Retired,
            (_, likely) => likely,
        };
        self
    }
}

/// Any fault that a server that tells the truth can have: it does not refuse what it applied, nor accept what it did not.
fn fault() -> impl Strategy<Value = Fault> {
    let change = || prop_oneof![3 => Just(Where::Patch), 2 => Just(Where::Rotate)];
    let lost = prop_oneof![
        any::<bool>().prop_map(Kind::Drop),
        // Within the head of the answer: a shorter one would be an answer.
        (0..60_u8).prop_map(Kind::Cut),
        select(vec![408_u16, 500, 502, 503, 504, 520]).prop_map(Kind::Status),
        Just(Kind::Garbage),
    ];
    let refused = select(vec![400_u16, 401, 403, 404, 409, 429]).prop_map(Kind::Refused);
    let spoilt = prop_oneof![
        6 => (change(), lost.clone(), any::<bool>()),
        2 => (change(), refused.clone(), Just(true)),
        1 => (change(), Just(Kind::Hidden), Just(false)),
        2 => (change(), (0..MOST_LATE).prop_map(Kind::Late), Just(true)),
        2 => (prop_oneof![change(), Just(Where::Read)], Just(Kind::Other), Just(false)),
        1 => (Just(Where::Rotate), Just(Kind::Twice), Just(false)),
        3 => (Just(Where::Read), prop_oneof![lost.clone(), refused.clone()], Just(true)),
        1 => (Just(Where::Read), Just(Kind::Hidden), Just(false)),
        2 => (Just(Where::Read), Just(Kind::Stale), Just(false)),
        1 => (Just(Where::Token), lost, any::<bool>()),
        1 => (Just(Where::Token), Just(Kind::Refused(401)), Just(true)),
        1 => (Just(Where::Log), refused, Just(true)),
    ];
    (spoilt, 0..4_u8, prop_oneof![4 => Just(1_u8), 2 => 2..5_u8, 1 => Just(200_u8)]).prop_map(
        |((place, kind, before), skip, times)| {
            let (skip, times) = match (place, kind) {
                // Once is enough to be in the way, and more cannot be told apart afterwards.
                (_, Kind::Other) => (skip, 1),
                (Where::Patch | Where::Rotate, _) => (skip.saturating_sub(2), times),
                // What is stale is so for less than the reads that settle a doubt: they come after the minute that it may take.
                (_, Kind::Stale) => (skip, times.min(2)),
                _ => (skip, times),
            };
            Fault { place, kind, before, skip, times }
        },
    )
}

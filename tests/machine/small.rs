//! A model small enough to walk through all of it: what is live, what is on its way, where the record stands; and everything that
//! can happen. What follows from a look is decided by the real table.
use std::collections::{HashMap, HashSet, VecDeque};

use rollover::domain::rollover::{Decision, Mode, Reconcile, Seen, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Value {
    Old,
    New,
    Third,
}

/// The record, the tenant, and what is between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Model {
    mode: Mode,
    /// Whether the token may read secrets.
    seeing: bool,
    /// What is live.
    server: Value,
    /// Requests that have not arrived.
    on_the_way: u8,
    /// Whether the one that runs waits for its answer, and whether it was applied.
    waiting: Option<bool>,
    state: State,
    attempt: u32,
    /// What the record has as the new secret.
    sealed: Option<Value>,
    /// Whether the time in which a lost request may arrive is over.
    quiet: bool,
    /// How often somebody else changed it, and whether that was after we saw ours.
    others: u8,
    since_seen: bool,
    /// How often a rotation was asked for.
    posts: u8,
    /// It was given up because nothing had changed, not because a person decided so.
    unchanged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    /// The request is recorded and sent.
    Cutover,
    /// A request arrives, in time or late.
    Arrive,
    /// The request is lost on its way.
    Vanish,
    /// The answer comes.
    Answer,
    /// The answer is lost.
    Lose,
    /// The program dies.
    Crash,
    /// Time goes by.
    Wait,
    /// Somebody else changes it.
    Other,
    Resume,
    Verify,
    KeepTheirs,
    SetOurs,
    Abandon,
}

const EVENTS: [Event; 13] = [
    Event::Cutover,
    Event::Arrive,
    Event::Vanish,
    Event::Answer,
    Event::Lose,
    Event::Crash,
    Event::Wait,
    Event::Other,
    Event::Resume,
    Event::Verify,
    Event::KeepTheirs,
    Event::SetOurs,
    Event::Abandon,
];

impl Model {
    fn begin(mode: Mode, seeing: bool) -> Self {
        let (state, sealed) = match mode {
            Mode::Set => (State::Delivered, Some(Value::New)),
            Mode::Server => (State::Baselined, None),
        };
        Self {
            mode,
            seeing,
            server: Value::Old,
            on_the_way: 0,
            waiting: None,
            state,
            attempt: 0,
            sealed,
            quiet: false,
            others: 0,
            since_seen: false,
            posts: 0,
            unchanged: false,
        }
    }

    fn seen(self) -> Seen {
        if !self.seeing {
            Seen::NotVisible
        } else if Some(self.server) == self.sealed {
            Seen::New
        } else if self.server == Value::Old {
            Seen::Old
        } else {
            Seen::Other
        }
    }

    fn to(mut self, state: State) -> Self {
        assert!(self.state.may_become(state, self.mode), "{:?} may not become {state:?}: {self:?}", self.state);
        self.state = state;
        self
    }

    fn send(self) -> Self {
        let mut next = self.to(State::Sending);
        next.attempt += 1;
        next.on_the_way += 1;
        next.waiting = Some(false);
        next.posts += u8::from(self.mode == Mode::Server);
        next
    }

    /// Auth0 shows or accepts the new one: what somebody else did before that is over.
    fn is_in(self) -> Self {
        let mut next = self.to(State::Applied);
        next.sealed = Some(self.server);
        next
    }

    /// What follows; nothing where it cannot happen.
    fn after(self, event: Event) -> Option<Self> {
        let running = self.waiting.is_some();
        match event {
            Event::Cutover => {
                let begins = matches!(self.state, State::Delivered | State::Staged)
                    || (self.mode == Mode::Server && self.state == State::Baselined);
                if running || !begins {
                    return None;
                }
                if self.mode == Mode::Set && self.seen() == Seen::Other {
                    return Some(self.to(State::Conflict));
                }
                // Two at once are as many as differ from one.
                (self.on_the_way < 2).then(|| self.send())
            }
            Event::Arrive => {
                let mut next = self;
                next.on_the_way = self.on_the_way.checked_sub(1)?;
                // What is set is what the record has; what Auth0 chooses is new.
                next.server = if self.mode == Mode::Set { self.sealed.unwrap_or(Value::New) } else { Value::New };
                next.waiting = self.waiting.map(|_| true);
                Some(next)
            }
            Event::Vanish => {
                let mut next = self;
                next.on_the_way = self.on_the_way.checked_sub(1)?;
                Some(next)
            }
            Event::Answer => {
                if self.waiting != Some(true) {
                    return None;
                }
                let mut next = self.to(State::Applied);
                next.waiting = None;
                next.sealed = Some(Value::New);
                Some(next)
            }
            Event::Lose => {
                self.waiting?;
                let mut next = self.to(State::InDoubt);
                (next.waiting, next.quiet) = (None, false);
                Some(next)
            }
            Event::Crash => {
                self.waiting?;
                Some(Self { waiting: None, quiet: false, ..self })
            }
            Event::Wait => {
                // What is still on its way after the minute is what nothing can tell: that is what the minute is for.
                let may = !running && !self.quiet && self.on_the_way == 0;
                may.then_some(Self { quiet: true, ..self })
            }
            Event::Other => (self.others < 2).then(|| Self {
                server: Value::Third,
                others: self.others + 1,
                since_seen: true,
                ..self
            }),
            Event::Verify => self.verify(),
            Event::Resume => self.resume(),
            Event::KeepTheirs => {
                if self.state != State::Conflict || !self.seeing || (self.attempt > 0 && !self.quiet) {
                    return None;
                }
                Some(self.is_in())
            }
            Event::SetOurs => {
                let may = self.state == State::Conflict && self.mode == Mode::Set && self.on_the_way < 2;
                may.then(|| self.send())
            }
            Event::Abandon => self.abandon(),
        }
    }

    fn verify(self) -> Option<Self> {
        if self.state != State::Applied {
            return None;
        }
        Some(match self.seen() {
            Seen::New => Self { since_seen: false, ..self.to(State::Verified) },
            // The token endpoint tells where the secret itself is not shown.
            Seen::NotVisible if Some(self.server) == self.sealed => {
                Self { since_seen: false, ..self.to(State::Verified) }
            }
            Seen::NotVisible | Seen::Failed => return None,
            Seen::Old => Self { quiet: false, ..self.to(State::InDoubt) },
            Seen::Other => self.to(State::Conflict),
        })
    }

    fn resume(self) -> Option<Self> {
        if self.waiting.is_some() {
            return None;
        }
        let doubting = match self.state {
            State::Sending => Self { quiet: false, ..self.to(State::InDoubt) },
            State::InDoubt => self,
            State::Applied => return self.verify(),
            State::Unknown if self.seeing => return Some(self.is_in()),
            _ => return None,
        };
        let seen = doubting.seen();
        let asked = Reconcile {
            mode: self.mode,
            attempt: self.attempt,
            answer_stored: self.mode == Mode::Server && self.sealed.is_some(),
            quiet: doubting.quiet,
            another_actor: Some(self.others > 0),
        };
        Some(match asked.decide(seen) {
            Decision::IsIn | Decision::Adopt => doubting.is_in(),
            // Whoever goes on after this was asked: the count begins anew.
            Decision::Ask if self.mode == Mode::Set => Self { attempt: 0, ..doubting },
            Decision::WaitThenRead | Decision::Ask | Decision::Stay => doubting,
            Decision::SendAgain | Decision::SendAndProbe => {
                if doubting.on_the_way >= 2 {
                    return None;
                }
                doubting.send()
            }
            Decision::Conflict => doubting.to(State::Conflict),
            Decision::ProbeOld => {
                if doubting.server == Value::Old {
                    doubting
                } else {
                    doubting.to(State::Unknown)
                }
            }
        })
    }

    fn abandon(self) -> Option<Self> {
        let may = match self.state {
            State::InDoubt => self.quiet && self.seen() == Seen::Old && self.waiting.is_none(),
            State::Conflict | State::Unknown => true,
            state => state.is_before_change() && self.waiting.is_none(),
        };
        may.then(|| Self { unchanged: !self.state.needs_person(), ..self.to(State::Abandoned) })
    }

    fn holds(self) {
        // I1: what we set is sealed before it is sent, and what Auth0 chose as soon as it is known.
        let live_is_ours = self.server == Value::New && self.mode == Mode::Set;
        assert!(!live_is_ours || self.sealed == Some(Value::New), "I1: {self:?}");
        if matches!(self.state, State::Applied | State::Verified) {
            assert!(self.sealed.is_some(), "I1: {self:?}");
        }
        // I2
        assert!(self.posts <= 1, "I2: {self:?}");
        // I3: what was given up as unchanged is not in, and cannot come in any more.
        assert!(!self.unchanged || (self.server != Value::New && self.on_the_way == 0), "I3: {self:?}");
        if self.state == State::Verified {
            assert!(Some(self.server) == self.sealed || self.since_seen, "I3: {self:?}");
        }
    }

    /// Where nothing more happens without a person.
    fn rests(self) -> bool {
        self.state.is_final()
            || self.state.needs_person()
            || matches!(self.state, State::Verified | State::Delivered | State::Staged | State::Baselined)
            || (self.mode == Mode::Server && self.state == State::InDoubt)
            // Another's change that this token cannot see.
            || (!self.seeing && self.state == State::Applied && self.since_seen)
    }

    /// I7: nothing fails any more; a run of `resume` waits where it has to, sends where it may, and verifies.
    fn run_of_resume(mut self) -> Self {
        for _ in 0..16 {
            if self.rests() && self.state != State::InDoubt {
                break;
            }
            let before = self;
            while let Some(arrived) = self.after(Event::Arrive) {
                self = arrived;
            }
            for event in [Event::Answer, Event::Lose, Event::Wait, Event::Resume] {
                self = self.after(event).unwrap_or(self);
            }
            if self == before {
                break;
            }
        }
        self
    }
}

#[test]
fn the_small_model_is_walked_through() {
    let mut all = 0;
    let mut transitions = 0;
    let mut ends: HashMap<&str, usize> = HashMap::new();
    for mode in Mode::ALL {
        for seeing in [false, true] {
            let begin = Model::begin(mode, seeing);
            let mut known = HashSet::from([begin]);
            let mut open = VecDeque::from([begin]);
            while let Some(model) = open.pop_front() {
                model.holds();
                let settled = model.run_of_resume();
                let settled = if settled.rests() { settled } else { settled.run_of_resume() };
                assert!(settled.rests(), "I7: {model:?} comes to {settled:?}");
                *ends.entry(settled.state.name()).or_default() += 1;
                for event in EVENTS {
                    // A person who is asked goes on as often as they like; more than this is more of the same.
                    let next = model.after(event).filter(|next| next.attempt <= 6);
                    transitions += usize::from(next.is_some());
                    if let Some(next) = next
                        && known.insert(next)
                    {
                        open.push_back(next);
                    }
                }
            }
            all += known.len();
        }
    }
    println!("small model: {all} states, {transitions} transitions; resume leads to {ends:?}");
    assert!(all > 500, "{all} states are too few to have walked anywhere");
}

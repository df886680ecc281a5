//! A client, its rollovers and its targets; and what must hold of them after every move.
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use rollover::domain::rollover::{Mode, Phase, Role, Rollover, RolloverId, State, TargetState};
use rollover::domain::target::{FilePlace, Format, Place, SlotNames};
use rollover::domain::{Secret, SecretPrint, Target};
use rollover::rollover::{Desk, Ended, Subject, TroubleKind};

use super::bench::{AUTH, Bench, take};
use super::moves::{Edit, Kind, Move, Step};

const KEY: &str = "AUTH0_CLIENT_SECRET";

/// A target's file, and what it holds beside secrets.
struct File {
    path: PathBuf,
    format: Format,
    /// Its other lines, in their order.
    others: Vec<String>,
    /// What it holds where it holds a key twice: then it is left as it is.
    twice: Option<String>,
}

pub struct World {
    pub bench: Rc<Bench>,
    pub id: String,
    pub desk: Desk,
    pub subject: Subject,
    seeing: bool,
    files: Vec<File>,
    /// Its latest rollover, as it was after the move before.
    pub latest: Option<Rollover>,
    rollovers: Vec<RolloverId>,
    /// How much of what became live at Auth0 was looked at.
    seen: usize,
    /// What the ledger ever held.
    sealed: HashSet<String>,
    /// What somebody else put anywhere, or made live.
    foreign: HashSet<String>,
    /// What each rollover set at Auth0, but for the way back.
    set: HashMap<String, HashSet<String>>,
    /// Somebody else changed the live secret since it was last seen to be ours.
    theirs: bool,
    /// Somebody did what takes an app's secret away: then its app may fail.
    meddled: bool,
    /// Rotations that were asked for and not sent.
    posts: usize,
    /// What requests were recorded to be sent with, as it was told.
    pub recorded: HashSet<String>,
    /// What they were sent with.
    sent: HashSet<String>,
}

impl World {
    pub fn new(targets: usize, seeing: bool) -> Self {
        let (bench, id) = take();
        let live = bench.live(&id);
        let folder = bench.folder.path().join(&id);
        std::fs::create_dir(&folder).expect("a folder");
        let formats = [(Format::Dotenv, "a.env"), (Format::Json, "b.json"), (Format::Toml, "c.toml")];
        let files: Vec<_> = formats
            .into_iter()
            .take(targets)
            .map(|(format, name)| {
                let others: &[&str] = match format {
                    Format::Json => &["{", "  \"port\": 80,", "  \"debug\": true", "}"],
                    Format::Toml => &["# an app", "port = 80", "debug = true"],
                    _ => &["# an app", "PORT=80", "DEBUG=1"],
                };
                let others = others.iter().map(|line| (*line).to_owned()).collect();
                File { path: folder.join(name), format, others, twice: None }
            })
            .collect();
        for file in &files {
            file.write(&file.with(&[&live]));
        }
        let subject = Subject {
            client_id: id.clone(),
            name: "an app".into(),
            auth: AUTH,
            targets: files.iter().map(File::target).collect(),
        };
        let desk = bench.desk(seeing);
        Self {
            desk,
            subject,
            seeing,
            files,
            latest: None,
            rollovers: Vec::new(),
            seen: 0,
            sealed: HashSet::new(),
            foreign: HashSet::from([live]),
            set: HashMap::new(),
            theirs: false,
            meddled: false,
            posts: 0,
            recorded: HashSet::new(),
            sent: HashSet::new(),
            bench,
            id,
        }
    }

    pub fn live(&self) -> String {
        self.bench.live(&self.id)
    }

    /// Somebody else does something.
    pub fn meddle(&mut self, what: Move) {
        match what {
            Move::Other => self.bench.act_as_other(&self.id, None),
            Move::SetBack => {
                let old = self.row().and_then(|row| self.desk.ledger.secret(&row, Role::Old).expect("it opens"));
                self.bench.act_as_other(&self.id, old.as_deref());
            }
            Move::Edit(number, edit) => {
                let live = self.live();
                let Some(file) = self.files.get_mut(number) else { return };
                if file.twice.is_some() && edit != Edit::Mended {
                    return;
                }
                match edit {
                    Edit::Line => file.add_line(),
                    Edit::Foreign => {
                        let foreign = "f".repeat(40);
                        file.write(&file.with(&[&foreign]));
                        self.foreign.insert(foreign);
                        self.meddled = true;
                    }
                    Edit::Twice => {
                        let text = format!("{}\n{}", file.with(&[&live]).trim_end(), file.with(&[&live]));
                        file.write(&text);
                        file.twice = Some(text);
                        self.meddled = true;
                    }
                    Edit::Mended => {
                        file.twice = None;
                        file.write(&file.with(&[&live]));
                        self.meddled = true;
                    }
                }
            }
            _ => {}
        }
    }

    /// What a person mends before a restart.
    pub fn mend(&mut self) {
        for number in 0..self.files.len() {
            if self.files[number].twice.is_some() {
                self.meddle(Move::Edit(number, Edit::Mended));
            }
        }
    }

    fn print(&self, secret: &str) -> Option<SecretPrint> {
        self.desk.key.print(&Secret::new(secret.to_owned()))
    }

    fn row(&self) -> Option<Rollover> {
        self.desk.ledger.latest(self.desk.api.domain(), &self.id).expect("the ledger")
    }

    fn opened(&self, row: &Rollover, role: Role) -> Option<String> {
        let secret = self.desk.ledger.secret(row, role).expect("what is sealed opens");
        secret.map(|secret| secret.expose().to_owned())
    }

    /// Whether a target waits for a person: somebody else wrote it while it was being written.
    pub fn asks_about_a_target(&self) -> bool {
        self.latest.iter().flat_map(|row| &row.targets).any(|target| target.state == TargetState::Conflict)
    }

    pub fn meddled_with(&self) -> bool {
        self.theirs
    }

    /// After every move. `ended`: what the procedure came to; nothing where it died, or was none.
    #[expect(clippy::cognitive_complexity, reason = "a list of what must hold")]
    pub fn check(&mut self, step: &Step, ended: Option<&Ended>) {
        if let Some(Err(trouble)) = ended {
            assert!(!matches!(trouble.kind, TroubleKind::Ledger(_)), "the ledger refused a change: {trouble:?}");
        }
        let before = self.latest.take();
        let row = self.row();
        let live = self.live();
        let live_print = self.print(&live);
        let others = step.others();
        if others > 0 {
            self.theirs = true;
            self.meddled = true;
        }
        if matches!(step.what, Move::RotateNow | Move::Cutover(true) | Move::GoLive) {
            // Whoever wants it at once, or anyway, takes it that apps fail.
            self.meddled = true;
        }
        self.posts += usize::from(step.what == Move::RotateNow);
        self.check_requests(row.as_ref());
        let Some(row) = row else {
            // Nothing is recorded, so nothing was done.
            let history = self.bench.tenant.history(&self.id);
            assert!(history.len() - self.seen <= others, "something was sent that no record tells of");
            self.adopt_history(&history);
            self.check_files(&live);
            return;
        };
        if self.rollovers.last() != Some(&row.id) {
            if let Some(last) = self.rollovers.last() {
                let last = self.desk.ledger.get(last).expect("the ledger").expect("a rollover");
                assert!(last.state.is_final(), "a rollover was begun while another was {:?}", last.state);
            }
            self.rollovers.push(row.id.clone());
        }
        for role in Role::ALL {
            let known = before.as_ref().is_some_and(|before| {
                before.id == row.id
                    && before.holds(role)
                    && (before.old, before.new, before.observed) == (row.old, row.new, row.observed)
            });
            if row.holds(role) && !known {
                let secret = self.opened(&row, role).expect("what the row says");
                let print = match role {
                    Role::Old => row.old,
                    Role::New => row.new,
                    Role::Observed => row.observed,
                };
                assert_eq!(self.print(&secret), print, "what is sealed is what the fingerprint says");
                self.sealed.insert(secret);
            }
        }
        self.check_history(step, &row);
        let same = before.as_ref().filter(|before| before.id == row.id);
        let stood = same.map(|before| before.state);
        let calm = others == 0 && step.faults.is_empty();
        let new_is_live = row.new.is_some() && row.new == live_print;
        // I3: what the record says is so, unless somebody else changed it after it was seen.
        if matches!(row.state, State::Verified | State::Promoting | State::Holding | State::Retired) {
            let just = !stood.is_some_and(|stood| {
                matches!(stood, State::Verified | State::Promoting | State::Holding | State::Retired)
            });
            if just && calm && self.seeing && !row.detail.starts_with("overtaken") {
                self.theirs = false;
            }
            assert!(new_is_live || self.theirs, "I3: it says {:?}, and another secret is live", row.state);
        }
        if row.state == State::RolledBack && stood != Some(State::RolledBack) {
            if calm && self.seeing {
                self.theirs = false;
            }
            assert!(row.old == live_print || self.theirs, "I3: it says rolled back, and the old secret is not live");
        }
        if row.state == State::Abandoned && stood.is_some_and(|stood| stood != State::Abandoned) {
            let decided = matches!(stood, Some(State::Conflict | State::Unknown)) || step.what == Move::RotateNow;
            assert!(decided || !new_is_live || row.new == row.old, "I3: it was given up although it is in");
        }
        if row.mode == Mode::Set && row.state.is_live() {
            assert!(row.new != row.old, "I3: it says {:?}, and nothing has changed", row.state);
        }
        // What was given up, or taken back, is in no target any more.
        let ended_well = matches!(row.state, State::Abandoned | State::RolledBack) && ended.is_some_and(Result::is_ok);
        let decided = stood.is_some_and(State::needs_person) || step.what == Move::RotateNow;
        if ended_well && stood.is_some_and(|stood| stood != row.state) && !decided {
            let pending = row.new.filter(|new| Some(*new) != row.old);
            self.check_gone(pending);
        }
        // I4: the old one is kept until a person drops it, or is back on it.
        if let Some(before) = same
            && before.holds(Role::Old)
            && !row.state.is_final()
        {
            assert!(row.holds(Role::Old), "I4: the old secret is gone while it is {:?}", row.state);
        }
        if row.state == State::Retired && stood != Some(State::Retired) && !row.detail.starts_with("overtaken") {
            for target in &self.subject.targets {
                let of_it = row.targets.iter().find(|one| one.name == target.name);
                let done = of_it.is_some_and(|one| one.phase == Phase::Retire && one.state == TargetState::Verified);
                assert!(done, "I4: retired, and {} is {of_it:?}", target.name);
            }
        }
        // I1: whoever is known to be accepted is in the ledger, where it cannot be read at Auth0.
        let ours = self.set.values().any(|set| set.contains(&live));
        if ours || (!self.seeing && self.sealed.contains(&live)) {
            let holds = |row: &Rollover| {
                [(Role::Old, row.old), (Role::New, row.new), (Role::Observed, row.observed)]
                    .into_iter()
                    .any(|(role, print)| row.holds(role) && print == live_print)
            };
            let earlier = |id: &RolloverId| self.desk.ledger.get(id).expect("the ledger").expect("a rollover");
            let held = holds(&row) || self.rollovers.iter().any(|id| holds(&earlier(id)));
            assert!(held, "I1: what is live is in no rollover of the ledger");
        }
        self.latest = Some(row);
        self.check_files(&live);
    }

    fn adopt_history(&mut self, history: &[String]) {
        self.foreign.extend(history[self.seen..].iter().cloned());
        self.seen = history.len();
    }

    /// I2: what became live during a move is ours, by the record, or somebody else's; and ours is one value for each rollover.
    fn check_history(&mut self, step: &Step, row: &Rollover) {
        let history = self.bench.tenant.history(&self.id);
        let mut unknown = 0_usize;
        for secret in &history[self.seen..] {
            let print = self.print(secret);
            if row.mode == Mode::Set && row.new == print && !self.foreign.contains(secret) {
                self.set.entry(row.id.to_string()).or_default().insert(secret.clone());
            } else if row.old != print && !self.sealed.contains(secret) {
                unknown += 1;
                self.foreign.insert(secret.clone());
            } else {
                self.foreign.insert(secret.clone());
            }
        }
        if step.what == Move::RotateNow {
            unknown = unknown
                .saturating_sub(1)
                .saturating_sub(usize::from(step.faults.iter().any(|fault| fault.kind == Kind::Twice)));
        }
        assert!(unknown <= step.others(), "I2: {unknown} secrets became live that nobody knows of");
        for set in self.set.values() {
            assert!(set.len() <= 1, "I2: one rollover set {} values", set.len());
        }
        self.seen = history.len();
    }

    /// I5: each target holds whole secrets that are known, and everything else is as it was. And while nobody meddled, every app has
    /// a secret that works.
    fn check_files(&self, live: &str) {
        for file in &self.files {
            let text = std::fs::read_to_string(&file.path).expect("the target's file");
            if let Some(twice) = &file.twice {
                assert_eq!(&text, twice, "I5: a file that cannot be told was written");
                continue;
            }
            let (secrets, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains(KEY));
            assert_eq!(others, file.others, "I5: something else changed in {text}");
            assert!(matches!(secrets.len(), 1 | 2), "I5: {text}");
            let mut works = false;
            for line in secrets {
                let secret = longest(line);
                works |= secret == live;
                let known = self.sealed.contains(secret) || self.foreign.contains(secret);
                assert!(known, "I5: {secret} is in {text}, and nobody knows it");
            }
            assert!(works || self.meddled, "an app has no secret that works: {text}, and {live} is live");
        }
    }

    /// No target holds this secret.
    fn check_gone(&self, gone: Option<SecretPrint>) {
        for file in self.files.iter().filter(|file| file.twice.is_none()) {
            let text = std::fs::read_to_string(&file.path).expect("the target's file");
            for line in text.lines().filter(|line| line.contains(KEY)) {
                let print = self.print(longest(line));
                assert!(print.is_none() || print != gone, "what was taken back is still in {text}");
            }
        }
    }

    /// I2: every change went out once, after it was recorded that it would; and a rotation once for each time that it was asked for.
    fn check_requests(&mut self, row: Option<&Rollover>) {
        let path = format!("/api/v2/clients/{}", self.id);
        let requests = self.bench.tenant.requests_after(self.bench.looked_at.get());
        self.bench.looked_at.set(self.bench.looked_at.get() + requests.len());
        let changes = requests.iter().filter(|one| one.path.starts_with(&path) && one.method != "GET");
        for change in changes {
            let id = change.correlation_id.clone().expect("a change that can be found again");
            let recorded = self.recorded.contains(&id) || row.and_then(|row| row.correlation_id.as_ref()) == Some(&id);
            assert!(recorded, "I2: a {} was sent before it was recorded", change.method);
            assert!(self.sent.insert(id), "I2: a {} was sent twice", change.method);
            if change.method == "POST" {
                self.posts = self.posts.checked_sub(1).expect("I2: more rotations than were asked for");
            }
        }
    }
}

impl File {
    fn target(&self) -> Target {
        Target {
            name: self.path.file_name().expect("a name").to_string_lossy().into_owned(),
            place: Place::File(FilePlace {
                path: self.path.clone(),
                format: self.format,
                follow_links: false,
                allow_mode: false,
            }),
            slots: SlotNames::default(),
            after: Vec::new(),
        }
    }

    fn line(&self, secret: &str) -> String {
        match self.format {
            Format::Json => format!("  \"{KEY}\": \"{secret}\","),
            Format::Toml => format!("{KEY} = \"{secret}\""),
            _ => format!("{KEY}={secret}"),
        }
    }

    /// Its text, the secrets behind the second line.
    fn with(&self, secrets: &[&str]) -> String {
        let mut lines = self.others.clone();
        for secret in secrets {
            lines.insert(2.min(lines.len()), self.line(secret));
        }
        lines.join("\n") + "\n"
    }

    fn add_line(&mut self) {
        let number = self.others.len();
        let line = match self.format {
            Format::Json => format!("  \"more{number}\": 1,"),
            Format::Toml => format!("more{number} = 1"),
            _ => format!("MORE{number}=1"),
        };
        let text = std::fs::read_to_string(&self.path).expect("the target's file");
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.insert(1, line.clone());
        self.others.insert(1, line);
        self.write(&(lines.join("\n") + "\n"));
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.path, text).expect("the target's file");
        #[cfg(unix)]
        std::fs::set_permissions(&self.path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    }
}

/// The longest word of a line: a secret is longer than any key.
fn longest(line: &str) -> &str {
    let is_part = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-');
    line.split(|one| !is_part(one)).max_by_key(|word| word.len()).unwrap_or_default()
}

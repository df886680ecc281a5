//! What a person waits for, in a real pseudo-terminal of 120x40: the first frame beside that of a bare ratatui program
//! (`examples/bare.rs`), and a tenant of a hundred thousand clients beside fzf on a file of the same names and ids. The
//! programs take turns within each round; how fast the machine is cancels out in the ratio.
//!
//! `cargo bench --bench terminal` does five rounds, `cargo bench --bench terminal -- 9` (or `ROUNDS=9`) nine. fzf is found
//! in PATH, or named by `FZF=path`; without it rollover is measured alone. A goal that is missed fails nothing: the exit
//! code tells whether all could be measured. Reads `/proc`, so Linux only.
//!
//! A thread of its own reads what a program writes and notes when, so that making a screen of it costs no time that is
//! measured. Queries of the terminal are not answered; none of the three waits for an answer.
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::{Value, json};

/// The program of this build; `ROLLOVER=path` measures another one.
const ROLLOVER: &str = env!("CARGO_BIN_EXE_rollover");
const CLIENTS: usize = 100_000;
const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };

const DOWN: &str = "\u{1b}[B";
const PAGE_DOWN: &str = "\u{1b}[6~";
const FILTER: &str = "zebraqtz";
/// A client that it finds. Four thousand match until the last keys. To fzf a line is one text, so that it finds some
/// hundred more, where the last letters are those of the id.
const NEEDLE: &str = "prod zebra-quartz 77777";
/// How often each is pressed in a round.
const PRESSES: usize = 40;
const BURST: usize = 100;
/// How often a program is started for its first frame alone, in a round.
const STARTS: usize = 8;

/// What has been written is all there is when nothing more comes for so long.
const QUIET: Duration = Duration::from_millis(40);
/// After a key of the filter: searching may take a while, and draw more than once.
const QUIET_FILTER: Duration = Duration::from_millis(120);
/// After loading.
const QUIET_LOADED: Duration = Duration::from_millis(300);
const IDLE: Duration = Duration::from_secs(10);
/// What does not come about within this cannot be measured.
const PATIENCE: Duration = Duration::from_mins(1);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let mut asked = false;
    for argument in std::env::args().skip(1) {
        match (argument.as_str(), argument.parse()) {
            ("--bench", _) => asked = true,
            (_, Ok(number)) => rounds = number,
            // `cargo bench -- NAME` asks for some benchmark of another file.
            (name, Err(_)) if !name.starts_with('-') && !"terminal".contains(name) => return ExitCode::SUCCESS,
            _ => {}
        }
    }
    if !asked {
        // `cargo test --benches`: that it starts is all there is to see.
        return ExitCode::SUCCESS;
    }
    match measure(rounds.max(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "terminal: could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(rounds: usize) -> Outcome<()> {
    let bare = build_bare()?;
    let folder = tempfile::tempdir()?;
    let program = std::env::var_os("ROLLOVER").map_or_else(|| ROLLOVER.into(), PathBuf::from);
    let tenant = Tenant::start(&program, folder.path())?;
    let lines = folder.path().join("lines");
    tenant.write_lines(&lines)?;
    let bare = Program::bare(&bare);
    let rollover = Program::rollover(&tenant);
    let fzf = find_fzf().map(|fzf| Program::fzf(&fzf, &lines)).transpose()?;
    let mut out = std::io::stdout().lock();
    match &fzf {
        Some(fzf) => writeln!(out, "{CLIENTS} clients on 120x40, {rounds} rounds; the peer is {}", fzf.name)?,
        None => writeln!(
            out,
            "{CLIENTS} clients on 120x40, {rounds} rounds; rollover alone: there is no fzf in PATH, and FZF names none"
        )?,
    }

    let (mut of_bare, mut of_rollover, mut of_fzf) = (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..rounds {
        for _ in 0..STARTS {
            bare.start(&mut of_bare)?;
            rollover.start(&mut of_rollover)?;
        }
        rollover.round(&mut of_rollover)?;
        if let Some(fzf) = &fzf {
            fzf.round(&mut of_fzf)?;
        }
    }
    idle([(Some(&rollover), &mut of_rollover), (fzf.as_ref(), &mut of_fzf)])?;

    let fzf = fzf.as_ref().map(|_| &of_fzf);
    print(&mut out, &of_rollover, &of_bare, fzf)?;
    Ok(())
}

/// Cargo builds no example for a benchmark; this one lies beside the program.
fn build_bare() -> Outcome<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let folder = Path::new(ROLLOVER).parent().ok_or("the program lies nowhere")?;
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "--example", "bare", "--target-dir"]);
    build.arg(folder.parent().ok_or("the program lies nowhere")?).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !build.status()?.success() {
        return Err("the example `bare` could not be built".into());
    }
    let bare = folder.parent().ok_or("the program lies nowhere")?.join("release/examples/bare");
    if bare.exists() { Ok(bare) } else { Err(format!("{} is not there", bare.display()).into()) }
}

fn find_fzf() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("FZF").filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("fzf")).find(|file| file.is_file())
}

/// The pretend tenant, in a process of its own.
struct Tenant {
    program: PathBuf,
    process: Child,
    url: String,
    token: String,
    home: PathBuf,
}

impl Tenant {
    fn start(program: &Path, folder: &Path) -> Outcome<Self> {
        let mut process = Command::new(program)
            .args(["sim", "--seed", "7", "--clients", &CLIENTS.to_string()])
            .env("ROLLOVER_HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let [program, home] = [program, folder].map(Path::to_owned);
        let mut tenant = Self { program, process, url: String::new(), token: String::new(), home };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let first: Value = serde_json::from_str(&line)?;
        let text = |name: &str| first[name].as_str().map(str::to_owned).ok_or(format!("it does not tell its {name}"));
        (tenant.url, tenant.token) = (text("url")?, text("token")?);
        Ok(tenant)
    }

    /// Gives a client the name that will be searched for, and writes down names and ids, one client a line.
    fn write_lines(&self, file: &Path) -> Outcome<()> {
        let list = Command::new(&self.program)
            .args(["list", "--json"])
            .env("ROLLOVER_HOME", &self.home)
            .env("AUTH0_DOMAIN", &self.url)
            .env("AUTH0_API_TOKEN", &self.token)
            .stderr(Stdio::inherit())
            .output()?;
        let mut clients: Vec<Value> = serde_json::from_slice(&list.stdout)?;
        if clients.len() != CLIENTS {
            return Err(format!("{} clients instead of {CLIENTS}", clients.len()).into());
        }
        let text = |client: &Value, name: &str| client[name].as_str().unwrap_or_default().to_owned();
        let needle = &mut clients[CLIENTS * 7 / 9];
        needle["name"] = NEEDLE.into();
        self.rename(&text(needle, "client_id"), NEEDLE)?;
        let lines: Vec<_> =
            clients.iter().map(|client| format!("{} {}\n", text(client, "name"), text(client, "client_id"))).collect();
        Ok(fs::write(file, lines.concat())?)
    }

    fn rename(&self, client: &str, name: &str) -> Outcome<()> {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
        let request = http.patch(format!("{}/api/v2/clients/{client}", self.url));
        let request = request.bearer_auth(&self.token).json(&json!({ "name": name }));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { request.send().await?.error_for_status() })?;
        Ok(())
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What was measured of one program. Times are milliseconds.
#[derive(Default)]
struct Samples {
    first_frame: Vec<f64>,
    first_rows: Vec<f64>,
    all_rows: Vec<f64>,
    down: Vec<f64>,
    down_first_byte: Vec<f64>,
    page: Vec<f64>,
    burst: Vec<f64>,
    filter: Vec<f64>,
    loaded: Vec<f64>,
    filtered: Vec<f64>,
    peak: Vec<f64>,
    wake_ups: Vec<f64>,
    bytes: Vec<f64>,
    quit: Vec<f64>,
    not_restored: Vec<f64>,
}

/// A program to measure, and how it is used.
struct Program {
    name: String,
    command: CommandBuilder,
    /// What its first frame shows.
    first_frame: &'static str,
    /// What it shows when it has all clients.
    loaded: String,
    /// What opens and what leaves its filter.
    filter: (&'static str, &'static str),
    quit: &'static str,
}

impl Program {
    fn bare(path: &Path) -> Self {
        Self {
            name: "bare".to_owned(),
            command: command(path),
            first_frame: "row 00",
            loaded: "row 39".to_owned(),
            filter: ("", ""),
            quit: "q",
        }
    }

    fn rollover(tenant: &Tenant) -> Self {
        let mut command = command(&tenant.program);
        command.env("ROLLOVER_HOME", &tenant.home);
        command.env("AUTH0_DOMAIN", &tenant.url);
        command.env("AUTH0_API_TOKEN", &tenant.token);
        Self {
            name: "rollover".to_owned(),
            command,
            first_frame: "Client ID",
            loaded: format!("{CLIENTS} clients"),
            filter: ("/", "\u{1b}"),
            quit: "q",
        }
    }

    fn fzf(path: &Path, lines: &Path) -> Outcome<Self> {
        let version = Command::new(path).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout);
        // A pseudo-terminal cannot be a file too: the shell, which gives way to it, hands the lines over.
        let mut command = command("/bin/sh");
        command.args(["-c", "exec \"$0\" --layout=reverse <\"$1\" >/dev/null"]);
        command.args([path, lines]);
        Ok(Self {
            name: format!("fzf {}", version.trim()),
            command,
            first_frame: "> ",
            loaded: format!("{CLIENTS}/{CLIENTS}"),
            filter: ("", ""),
            quit: "\u{3}",
        })
    }

    /// Until the first frame, and ends it again.
    fn start(&self, samples: &mut Samples) -> Outcome<()> {
        let mut terminal = Terminal::start(self)?;
        let at = terminal.until("a first frame", |screen| screen.contents().contains(self.first_frame))?;
        samples.first_frame.push(ms(terminal.started, at));
        terminal.settle(terminal.started, QUIET)?;
        terminal.keys(self.quit)?;
        terminal.end()?;
        Ok(())
    }

    /// Until every client is there and it has gone quiet.
    fn load(&self, samples: &mut Samples) -> Outcome<Terminal> {
        let mut terminal = Terminal::start(self)?;
        let at = terminal.until("the first rows", |screen| shows_an_id(&screen.contents()))?;
        samples.first_rows.push(ms(terminal.started, at));
        let at = terminal.until("all rows", |screen| screen.contents().contains(&self.loaded))?;
        samples.all_rows.push(ms(terminal.started, at));
        terminal.settle(at, QUIET_LOADED)?;
        Ok(terminal)
    }

    fn round(&self, samples: &mut Samples) -> Outcome<()> {
        let mut terminal = self.load(samples)?;
        samples.loaded.push(terminal.megabytes("VmRSS")?);
        for _ in 0..PRESSES {
            let (first, last) = terminal.press(DOWN, QUIET)?;
            samples.down_first_byte.push(first);
            samples.down.push(last);
        }
        for _ in 0..PRESSES {
            samples.page.push(terminal.press(PAGE_DOWN, QUIET)?.1);
        }
        samples.burst.push(terminal.press(&PAGE_DOWN.repeat(BURST), QUIET_LOADED)?.1);
        let (open, leave) = self.filter;
        if !open.is_empty() {
            terminal.press(open, QUIET_FILTER)?;
        }
        for key in FILTER.chars() {
            samples.filter.push(terminal.press(key.encode_utf8(&mut [0; 4]), QUIET_FILTER)?.1);
        }
        terminal.until("what was typed", |screen| screen.contents().contains(FILTER))?;
        samples.filtered.push(terminal.megabytes("VmRSS")?);
        samples.peak.push(terminal.megabytes("VmHWM")?);
        if !leave.is_empty() {
            terminal.press(leave, QUIET_LOADED)?;
        }
        let sent = terminal.keys(self.quit)?;
        let at = terminal.end()?;
        samples.quit.push(ms(sent, at));
        samples.not_restored.push(if terminal.is_restored() { 0.0 } else { 1.0 });
        Ok(())
    }
}

/// Nothing of what we are in comes along.
fn command(program: impl AsRef<OsStr>) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    command.env("SHELL", "/bin/sh");
    command.env("PATH", "/usr/bin:/bin");
    command
}

/// All programs at once, with every client, and nobody there.
fn idle(programs: [(Option<&Program>, &mut Samples); 2]) -> Outcome<()> {
    let mut open = Vec::new();
    for (program, samples) in programs {
        let Some(program) = program else { continue };
        open.push((program, program.load(&mut Samples::default())?, samples));
    }
    std::thread::sleep(Duration::from_secs(1));
    let mut before = Vec::new();
    for (_, terminal, _) in &open {
        before.push((terminal.switches()?, terminal.written()));
    }
    std::thread::sleep(IDLE);
    for ((program, mut terminal, samples), (switches, written)) in open.into_iter().zip(before) {
        samples.wake_ups.push((terminal.switches()? - switches) / IDLE.as_secs_f64());
        samples.bytes.push((terminal.written() - written) / IDLE.as_secs_f64());
        terminal.keys(program.quit)?;
        terminal.end()?;
    }
    Ok(())
}

/// Whether there is a client id to see.
fn shows_an_id(contents: &str) -> bool {
    contents.split_whitespace().any(|word| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn ms(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}

/// What came out of a terminal, and when.
#[derive(Default)]
struct Log {
    reads: Vec<(Instant, Vec<u8>)>,
    /// When the last process let go of the terminal.
    ended: Option<Instant>,
}

/// A program at work in a terminal.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    log: Arc<(Mutex<Log>, Condvar)>,
    started: Instant,
    parser: vt100::Parser,
    parsed: usize,
    /// The terminal's settings before the program had it.
    before: String,
}

impl Terminal {
    fn start(program: &Program) -> Outcome<Self> {
        let pair = native_pty_system().openpty(SIZE)?;
        let before = format!("{:?}", pair.master.get_termios());
        let mut reader = pair.master.try_clone_reader()?;
        let writer = pair.master.take_writer()?;
        let log = Arc::<(Mutex<Log>, Condvar)>::default();
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            loop {
                let count = reader.read(&mut bytes).unwrap_or(0);
                let at = Instant::now();
                let mut log = sink.0.lock().unwrap_or_else(PoisonError::into_inner);
                if count == 0 {
                    log.ended = Some(at);
                } else {
                    log.reads.push((at, bytes[..count].to_vec()));
                }
                sink.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let cells = |count| std::num::NonZero::new(count).ok_or("a terminal has cells");
        let parser = vt100::Parser::new(cells(SIZE.rows)?, cells(SIZE.cols)?, 0);
        let command = program.command.clone();
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        Ok(Self { master: pair.master, writer, child, log, started, parser, parsed: 0, before })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&mut self, keys: &str) -> Outcome<Instant> {
        let sent = Instant::now();
        self.writer.write_all(keys.as_bytes())?;
        Ok(sent)
    }

    /// Presses keys, and waits until it is quiet. Milliseconds until the first and until the last byte of the answer.
    fn press(&mut self, keys: &str, quiet: Duration) -> Outcome<(f64, f64)> {
        let sent = self.keys(keys)?;
        let (first, last) = self.settle(sent, quiet)?;
        Ok((ms(sent, first), ms(sent, last)))
    }

    /// Waits until something was written since `since`, and then nothing for so long. When the first and when the last of
    /// it came.
    fn settle(&self, since: Instant, quiet: Duration) -> Outcome<(Instant, Instant)> {
        let mut log = self.log();
        loop {
            let new = log.reads.iter().rev().take_while(|(at, _)| *at >= since);
            let (first, last) = new.fold((None, None), |(_, last), (at, _)| (Some(*at), last.or(Some(*at))));
            let now = Instant::now();
            let until = last.map_or(since + PATIENCE, |last| last + quiet);
            if now < until && log.ended.is_none() {
                let (next, _) = self.log.1.wait_timeout(log, until - now).unwrap_or_else(PoisonError::into_inner);
                log = next;
                continue;
            }
            return first.zip(last).ok_or_else(|| "a key without an answer".into());
        }
    }

    /// Waits until the screen is as wanted. When the bytes came that made it so.
    fn until(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) -> Outcome<Instant> {
        let deadline = Instant::now() + PATIENCE;
        let mut at = self.started;
        loop {
            if holds(self.parser.screen()) {
                return Ok(at);
            }
            let next = loop {
                let log = self.log();
                if let Some(next) = log.reads.get(self.parsed) {
                    break Some(next.clone());
                }
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() || log.ended.is_some() {
                    break None;
                }
                drop(self.log.1.wait_timeout(log, left));
            };
            let Some((when, bytes)) = next else {
                return Err(format!("{what} never came:\n{}", self.parser.screen().contents()).into());
            };
            self.parser.process(&bytes);
            self.parsed += 1;
            at = when;
        }
    }

    /// Waits for the end of it. When it let go of the terminal.
    fn end(&mut self) -> Outcome<Instant> {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.log();
        let ended = loop {
            if let Some(ended) = log.ended {
                break ended;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("it did not end".into());
            }
            (log, _) = self.log.1.wait_timeout(log, left).unwrap_or_else(PoisonError::into_inner);
        };
        let rest: Vec<_> = log.reads.iter().skip(self.parsed).flat_map(|(_, bytes)| bytes.clone()).collect();
        drop(log);
        self.parser.process(&rest);
        self.child.wait()?;
        Ok(ended)
    }

    /// Whether the terminal is as it was before the program had it.
    fn is_restored(&self) -> bool {
        let screen = self.parser.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            && format!("{:?}", self.master.get_termios()) == self.before
    }

    fn proc(&self) -> Outcome<PathBuf> {
        Ok(format!("/proc/{}", self.child.process_id().ok_or("it has ended")?).into())
    }

    fn megabytes(&self, name: &str) -> Outcome<f64> {
        Ok(field(&self.proc()?.join("status"), name)? / 1024.0)
    }

    /// How often its threads have gone to sleep.
    fn switches(&self) -> Outcome<f64> {
        let mut all = 0.0;
        for thread in fs::read_dir(self.proc()?.join("task"))? {
            all += field(&thread?.path().join("status"), "voluntary_ctxt_switches")?;
        }
        Ok(all)
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody writes so much")]
    fn written(&self) -> f64 {
        self.log().reads.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() as f64
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number of a file in `/proc`.
fn field(file: &Path, name: &str) -> Outcome<f64> {
    let text = fs::read_to_string(file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("no {name} in {}", file.display()).into())
}

/// The sample below which such a part of them lies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "few samples")]
fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = part * (sorted.len().saturating_sub(1)) as f64;
    let (low, high) = (sorted.get(at.floor() as usize), sorted.get(at.ceil() as usize));
    low.zip(high).map_or(f64::NAN, |(low, high)| low + (high - low) * at.fract())
}

#[derive(Clone, Copy)]
enum Goal {
    /// So many times the peer's.
    Ratio(f64),
    /// None at all, whatever the peer does.
    Zero,
    /// For information.
    None,
}

/// One figure of both.
struct Row<'a> {
    figure: &'a str,
    peer: &'a str,
    ours: f64,
    theirs: Option<f64>,
    goal: Goal,
}

impl Row<'_> {
    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Self { figure, peer, ours, theirs, goal } = *self;
        let ratio = theirs.filter(|theirs| *theirs > 0.0).map(|theirs| ours / theirs);
        let (wanted, met) = match goal {
            Goal::Ratio(most) => (format!("<= {most}"), ratio.map(|ratio| ratio <= most)),
            Goal::Zero => ("0".to_owned(), Some(ours <= 0.0)),
            Goal::None => ("-".to_owned(), None),
        };
        let met = met.map_or("-", |met| if met { "yes" } else { "NO" });
        let number = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.2}"));
        let (ours, theirs, ratio) = (number(Some(ours)), number(theirs), number(ratio));
        writeln!(out, "{figure:<46} {ours:>9} {theirs:>9} {peer:<5} {ratio:>6} {wanted:>7}  {met}")
    }
}

/// Picks the samples of one figure.
type Take = fn(&Samples) -> &[f64];

fn print(out: &mut impl Write, ours: &Samples, bare: &Samples, fzf: Option<&Samples>) -> std::io::Result<()> {
    writeln!(out, "{:<46} {:>9} {:>9} {:<5} {:>6} {:>7}  met", "figure", "rollover", "peer", "", "ratio", "goal")?;
    let first_frame = Row {
        figure: "start to first frame, ms",
        peer: "bare",
        ours: quantile(&ours.first_frame, 0.5),
        theirs: Some(quantile(&bare.first_frame, 0.5)),
        goal: Goal::Ratio(2.0),
    };
    first_frame.print(out)?;
    let rows: [(&str, Take, f64, Goal); 16] = [
        ("start to first rows, ms", |all| &all.first_rows, 0.5, Goal::Ratio(0.6)),
        ("start to all rows (we: 1,000 requests), ms", |all| &all.all_rows, 0.5, Goal::None),
        ("Down until settled, ms", |all| &all.down, 0.5, Goal::Ratio(1.5)),
        ("Down until the first byte, ms", |all| &all.down_first_byte, 0.5, Goal::None),
        ("PageDown until settled, median, ms", |all| &all.page, 0.5, Goal::Ratio(0.7)),
        ("PageDown until settled, p95, ms", |all| &all.page, 0.95, Goal::None),
        ("100 PageDowns at once until settled, ms", |all| &all.burst, 0.5, Goal::Ratio(3.0)),
        ("filter key until settled, median, ms", |all| &all.filter, 0.5, Goal::Ratio(0.6)),
        ("filter key until settled, p95, ms", |all| &all.filter, 0.95, Goal::Ratio(0.6)),
        ("memory after loading (VmRSS), MB", |all| &all.loaded, 0.5, Goal::Ratio(0.7)),
        ("memory after all that (VmRSS), MB", |all| &all.filtered, 0.5, Goal::Ratio(0.7)),
        ("memory at its peak (VmHWM), MB", |all| &all.peak, 0.5, Goal::Ratio(0.7)),
        ("idle: wake-ups a second, over 10 s", |all| &all.wake_ups, 0.5, Goal::Zero),
        ("idle: bytes written a second, over 10 s", |all| &all.bytes, 0.5, Goal::Zero),
        ("quit key to exit, ms", |all| &all.quit, 0.5, Goal::Ratio(1.0)),
        ("quits that left the terminal changed", |all| &all.not_restored, 1.0, Goal::Zero),
    ];
    for (figure, take, part, goal) in rows {
        let theirs = fzf.map(|fzf| quantile(take(fzf), part));
        Row { figure, peer: "fzf", ours: quantile(take(ours), part), theirs, goal }.print(out)?;
    }
    Ok(())
}

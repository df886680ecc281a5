//! The real program in a real pseudo-terminal, and what a person would see there.
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use vt100::{MouseProtocolEncoding, MouseProtocolMode, Parser};

/// How long a fact may take to come about before the test gives up. Nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came out of the terminal so far.
struct Seen {
    parser: Parser,
    raw: Vec<u8>,
    ended: bool,
    hanging_up: bool,
}

impl Seen {
    /// Whether no frame is being drawn: frames stand between the marks of a synchronized update.
    fn is_whole(&self) -> bool {
        let last = |mark: &[u8]| self.raw.windows(mark.len()).rposition(|part| part == mark);
        self.ended || last(b"\x1b[?2026h") <= last(b"\x1b[?2026l")
    }
}

/// The program, and its terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn std::io::Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// The terminal's settings before the program had it.
    before: String,
}

impl Terminal {
    /// Starts the program with these arguments and variables, and nothing else in its environment.
    pub fn start(home: &Path, arguments: &[&str], variables: &[(&str, &str)], size: (u16, u16)) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rollover"));
        command.args(arguments);
        Self::run(home, command, variables, size)
    }

    /// Starts a shell's script, for which the program is `$0` and the arguments are its own.
    pub fn shell(home: &Path, script: &str, arguments: &[&str], variables: &[(&str, &str)], size: (u16, u16)) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_rollover")]);
        command.args(arguments);
        Self::run(home, command, variables, size)
    }

    fn run(home: &Path, mut command: CommandBuilder, variables: &[(&str, &str)], (columns, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("ROLLOVER_HOME", home);
        command.env("ROLLOVER_IDENTITY_FILE", super::process::identity_file());
        for (name, value) in variables {
            command.env(name, value);
        }
        let before = settings(&*pair.master);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let parser = Parser::new(cells(rows), cells(columns), 1000);
        let seen = Seen { parser, raw: Vec::new(), ended: false, hanging_up: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let sink = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            loop {
                let count = reader.read(&mut bytes).unwrap_or(0);
                // A test that has failed holds its lock no more.
                let Ok(mut seen) = sink.0.lock() else { return };
                seen.raw.extend_from_slice(&bytes[..count]);
                seen.parser.process(&bytes[..count]);
                seen.ended = count == 0 || seen.hanging_up;
                sink.1.notify_all();
                if seen.ended {
                    return;
                }
            }
        });
        Self { master: Some(pair.master), writer: Some(writer), child, seen, before }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().expect("no panic before")
    }

    /// Waits until what was seen gives something. Half a frame is not looked at: its lines may belong to two screens.
    fn look<T>(&self, what: &str, mut find: impl FnMut(&mut Seen) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen();
        loop {
            if seen.is_whole()
                && let Some(found) = find(&mut seen)
            {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never came: {what}\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, left.min(Duration::from_millis(100))).expect("no panic before").0;
        }
    }

    /// Waits until something holds of what was seen.
    fn wait(&self, what: &str, mut holds: impl FnMut(&mut Seen) -> bool) {
        self.look(what, |seen| holds(seen).then_some(()));
    }

    /// Waits until the screen shows `text`.
    pub fn until(&self, text: &str) {
        self.wait(text, |seen| seen.parser.screen().contents().contains(text));
    }

    /// Waits until the screen shows `text` so many times.
    pub fn until_times(&self, text: &str, times: usize) {
        self.wait(text, |seen| seen.parser.screen().contents().matches(text).count() >= times);
    }

    /// Waits until the screen shows `text` no more.
    pub fn until_gone(&self, text: &str) {
        self.wait(&format!("the end of {text}"), |seen| !seen.parser.screen().contents().contains(text));
    }

    /// Waits until these bytes were written to the terminal.
    pub fn until_written(&self, bytes: &[u8]) {
        self.wait("bytes", |seen| seen.raw.windows(bytes.len()).any(|part| part == bytes));
    }

    /// Waits until the terminal is handed back: by a program that stopped, for example.
    pub fn until_handed_back(&self) {
        self.wait("the main screen", |seen| !seen.parser.screen().alternate_screen());
    }

    /// Waits until the terminal shows nothing of what is typed.
    pub fn until_unseen(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.shows_keys() {
            assert!(Instant::now() < deadline, "what is typed is still shown:\n{}", self.screen());
            std::thread::yield_now();
        }
    }

    fn shows_keys(&self) -> bool {
        let settings = settings(&**self.master.as_ref().expect("a terminal"));
        settings.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "ECHO")
    }

    /// Asserts that the terminal's settings are what they were.
    pub fn assert_settings(&self) {
        assert_eq!(settings(&**self.master.as_ref().expect("a terminal")), self.before);
    }

    /// Answers a question for a secret, once it is asked and nothing of it would be seen.
    pub fn answer_unseen(&mut self, question: &str, answer: &str) {
        self.until(question);
        self.until_unseen();
        self.keys(&format!("{answer}\r"));
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.look("a whole frame", |seen| Some(seen.parser.screen().contents()))
    }

    /// Every byte so far.
    pub fn raw(&self) -> Vec<u8> {
        self.seen().raw.clone()
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.writer.as_mut().expect("a terminal").write_all(keys.as_bytes()).expect("the program reads");
    }

    /// Clicks the first place that shows `text`.
    pub fn click(&mut self, text: &str) {
        let (row, column) = self.find(text);
        self.keys(&format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m"));
    }

    /// Turns the wheel down over the first place that shows `text`.
    pub fn wheel_down(&mut self, text: &str) {
        let (row, column) = self.find(text);
        self.keys(&format!("\u{1b}[<65;{column};{row}M"));
    }

    /// Row and column, counted from one, once the screen shows `text`.
    fn find(&self, text: &str) -> (usize, usize) {
        self.look(text, |seen| {
            let screen = seen.parser.screen();
            let (rows, columns) = screen.size();
            (0..rows.get())
                .flat_map(|row| (0..columns.get()).map(move |column| (row, column)))
                .find(|(row, column)| stands_at(screen, text, *row, *column))
                .map(|(row, column)| (usize::from(row) + 1, usize::from(column) + 1))
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the program is there");
    }

    fn pid(&self) -> Pid {
        let pid = self.child.process_id().and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(Pid::from_raw).expect("a process id")
    }

    /// Waits until the program has stopped, as by Ctrl-Z.
    #[cfg(target_os = "linux")]
    pub fn until_stopped(&self) {
        let deadline = Instant::now() + PATIENCE;
        let file = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        loop {
            let stat = std::fs::read_to_string(&file).expect("the program is there");
            let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
            if state == Some('T') {
                return;
            }
            assert!(Instant::now() < deadline, "it did not stop: {stat}");
            std::thread::yield_now();
        }
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        // In one go: what the program draws for the new size must not be read as if the old one held.
        let mut seen = self.seen();
        seen.parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.as_ref().expect("a terminal").resize(size).expect("a size");
    }

    /// Takes the terminal away, as a connection that breaks does.
    pub fn hang_up(&mut self) {
        // The reader has a handle of its own, and sits in a read: something must come for it to let go.
        self.seen().hanging_up = true;
        self.resize(100, 30);
        if self.shows_keys() {
            // A program that draws nothing is no help, but its terminal shows what is typed.
            self.keys(" ");
        }
        self.wait("the reader's end", |seen| seen.ended);
        self.writer = None;
        self.master = None;
    }

    /// Waits for the end, and gives the exit code.
    pub fn end(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it did not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        };
        if self.master.is_some() {
            // What it wrote last may still be on its way: the reader sees the end when all of it was read.
            self.wait("the end of the output", |seen| seen.ended);
        }
        status.exit_code()
    }

    /// Asserts that the terminal is as it was before the program had it.
    pub fn assert_restored(&self) {
        let seen = self.seen();
        let screen = seen.parser.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None);
        assert_eq!(screen.mouse_protocol_encoding(), MouseProtocolEncoding::Default);
        let focus = |switch: &[u8]| seen.raw.windows(switch.len()).rposition(|part| part == switch);
        assert!(focus(b"\x1b[?1004l") > focus(b"\x1b[?1004h"), "focus reports are on");
        if let Some(master) = &self.master {
            assert_eq!(settings(&**master), self.before, "the terminal's settings have changed");
        }
    }

    /// Asserts that neither the screen nor what was scrolled off it shows `text`.
    pub fn assert_nowhere(&self, text: &str) {
        let mut seen = self.seen();
        for back in 0..200 {
            seen.parser.screen_mut().set_scrollback(back);
            assert!(!seen.parser.screen().contents().contains(text), "it is still to be seen");
        }
        seen.parser.screen_mut().set_scrollback(0);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stands_at(screen: &vt100::Screen, text: &str, row: u16, mut column: u16) -> bool {
    let mut rest = text;
    while let Some(cell) = screen.cell(row, column).filter(|_| !rest.is_empty()) {
        let contents = if cell.contents().is_empty() { " " } else { cell.contents() };
        let Some(left) = rest.strip_prefix(contents) else { return false };
        rest = left;
        column += if cell.is_wide() { 2 } else { 1 };
    }
    rest.is_empty()
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}

/// The terminal's settings, as text to compare.
fn settings(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios())
}

/// Asserts that `secret` stands in no process's arguments and, as far as they can be read, in no environment.
#[cfg(target_os = "linux")]
pub fn assert_in_no_process(secret: &str) {
    let mut looked = 0;
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        for name in ["cmdline", "environ"] {
            // A process may end while it is looked at, and some belong to others.
            let Ok(bytes) = std::fs::read(entry.path().join(name)) else { continue };
            looked += 1;
            let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!holds, "a secret stands in {}/{name}", entry.path().display());
        }
    }
    assert!(looked > 0, "no process could be looked at");
}

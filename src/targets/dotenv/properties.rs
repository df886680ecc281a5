//! What holds for every file of variables: `ROLLOVER_CASES` says how many edits are tried, `ROLLOVER_SEED` which comes first.
//! `tests/dotenv.sh` asks other programs what they read in such files.
use fastrand::Rng;
use proptest::prelude::*;

use super::nasty::{Nasty, Reader, Source, secret};
use super::*;

/// What an edit must not do to a file, for each step of a rollover and for secrets of any kind. Edits made, and refused.
fn check_all(bytes: &[u8], reader: Reader) -> Result<(u64, u64), String> {
    let mut source = Source::new(bytes);
    // What it shall hold is chosen first: a simpler file then leaves it as it is.
    let (new, more) = (secret(&mut source), secret(&mut source));
    let nasty = Nasty::new(&mut source, reader);
    let file = nasty.bytes();
    let [current, fallback] = nasty.texts();
    let names = SlotNames::default();
    let is_docker = reader == Reader::Docker;
    let read = |bytes: &[u8]| if is_docker { docker::read(bytes, &names) } else { read(bytes, &names) };
    let edit = |wanted: &Slots, bytes: &[u8]| {
        if is_docker { docker::edit(bytes, &names, wanted) } else { edit(bytes, &names, wanted) }
    };
    let slot = |text: &str| (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())));
    let slots = |current: &str, fallback: &str| Slots { current: slot(current), fallback: slot(fallback) };
    let held = read(&file).map_err(|error| format!("it does not read: {error:?}"))?;
    if held != slots(current.unwrap_or_default(), fallback.unwrap_or_default()) {
        return Err("it reads as something else".to_owned());
    }
    let (mut made, mut refused) = (0, 0);
    for (first, second) in [(current.unwrap_or("old"), new.as_str()), (&new, &more), (&new, "")] {
        let wanted = slots(first, second);
        let edited = match edit(&wanted, &file) {
            Ok(edited) => edited,
            Err(error) => {
                let is_odd = |text: &str| text.contains(['\'', '"', '\\', '$']);
                if !(is_odd(first) || is_odd(second)) || is_docker || error.message.contains("mistake") {
                    return Err(format!("it is refused: {error:?}"));
                }
                refused += 1;
                continue;
            }
        };
        if read(&edited).as_ref() != Ok(&wanted) {
            return Err("it does not hold what was written".to_owned());
        }
        if !nasty.is_edited(&edited, first, second) {
            return Err(format!("another part changed: {:?}", edited.escape_ascii().to_string()));
        }
        made += 1;
        if !nasty.has_fallback() && current == Some(first) && !second.is_empty() {
            let back = edit(&slots(first, ""), &edited).map_err(|error| format!("no way back: {error:?}"))?;
            if *back != nasty.and_back() {
                return Err("the way back leads elsewhere".to_owned());
            }
            made += 1;
        }
    }
    Ok((made, refused))
}

fn shown(bytes: &[u8], reader: Reader) -> String {
    let mut source = Source::new(bytes);
    let secrets = (secret(&mut source), secret(&mut source));
    let nasty = Nasty::new(&mut source, reader);
    format!("{:?} {secrets:?} {:?}", reader, nasty.bytes().escape_ascii().to_string())
}

const READERS: [Reader; 3] = [Reader::Nobody, Reader::Everybody, Reader::Docker];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_fails_shrinks(bytes in proptest::collection::vec(any::<u8>(), 0..120), reader in 0..3_usize) {
        let reader = READERS[reader];
        if let Err(why) = check_all(&bytes, reader) {
            return Err(TestCaseError::fail(format!("{why}: {}", shown(&bytes, reader))));
        }
    }
}

#[test]
fn every_edit_holds_what_was_written_and_leaves_all_else() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("ROLLOVER_CASES").unwrap_or(1_000_000);
    let first = number("ROLLOVER_SEED").unwrap_or_else(|| Rng::new().u64(..));
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let count = |thread: u64| {
        let (mut made, mut refused, mut seed) = (0, 0, first.wrapping_add(thread));
        let mut bytes = [0; 160];
        while made < cases.div_ceil(threads) {
            let mut random = Rng::with_seed(seed);
            random.fill(&mut bytes);
            let reader = if random.u8(..) < 32 { Reader::Docker } else { Reader::Nobody };
            let (done, not) = check_all(&bytes, reader)
                .unwrap_or_else(|why| panic!("ROLLOVER_SEED={seed} shows it again: {why}: {}", shown(&bytes, reader)));
            (made, refused) = (made + done, refused + not);
            seed = seed.wrapping_add(threads);
        }
        (made, refused)
    };
    let (made, refused) = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || count(thread))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a thread"))
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    report(&format!("dotenv: {made} edits, {refused} refused, from seed {first}"));
}

#[expect(clippy::print_stderr, reason = "how much was tried")]
fn report(line: &str) {
    eprintln!("{line}");
}

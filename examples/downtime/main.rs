//! Draws the chart of apps in the loop from `assets/pictures/downtime.csv`, which the test of that name writes:
//! `ROLLOVER_CHART=1 cargo test --test downtime chart`, then `cargo run --example downtime`.
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Easy to read on white and on black.
const OK: &str = "#3fa66b";
const FAILED: &str = "#e0523f";
const TEXT: &str = "#7d8590";
const COMMAND: &str = "#7d8590";

/// Pixels for a tenth of a second, and for a request.
const WIDTH: u32 = 14;
const HEIGHT: u32 = 16;
/// Left of the bars, and between the two charts.
const LEFT: u32 = 16;
/// From the top of one chart to that of the next.
const CHART: u32 = 164;
/// The most requests in a tenth of a second that are drawn: an app that is behind catches up.
const MOST: u32 = 6;

/// One way of changing the secret.
#[derive(Default)]
struct Way {
    /// Milliseconds, requests that got a token, requests that did not.
    tenths: Vec<(u32, u32, u32)>,
    /// Begin and end of each command, milliseconds.
    commands: Vec<(u32, u32)>,
}

impl Way {
    fn read(text: &str, way: &str) -> Result<Self, Box<dyn Error>> {
        let mut read = Self::default();
        for line in text.lines().skip(1) {
            let fields: Vec<_> = line.split(',').collect();
            let number = |at: usize| fields.get(at).copied().unwrap_or_default().parse::<u32>();
            if fields.first() == Some(&way) {
                read.tenths.push((number(1)?, number(2)?, number(3)?));
            } else if fields.first() == Some(&format!("{way} command").as_str()) {
                read.commands.push((number(1)?, number(2)?));
            }
        }
        Ok(read)
    }

    fn counted(&self) -> (u32, u32) {
        self.tenths.iter().fold((0, 0), |(ok, failed), tenth| (ok + tenth.1, failed + tenth.2))
    }

    fn draw(&self, svg: &mut String, title: &str, top: u32) -> std::fmt::Result {
        let (ok, failed) = self.counted();
        let bottom = top + 40 + MOST * HEIGHT;
        writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{}\" font-size=\"16\" font-weight=\"600\">{title}</text>\n\
             <text x=\"{LEFT}\" y=\"{}\" font-size=\"13\">{} of {} requests failed</text>",
            top + 14,
            top + 34,
            failed,
            ok + failed
        )?;
        for (at, ok, failed) in &self.tenths {
            let x = LEFT + at / 100 * WIDTH;
            let (failed, ok) = ((*failed).min(MOST), (*ok).min(MOST - (*failed).min(MOST)));
            for (colour, from, count) in [(FAILED, 0, failed), (OK, failed, ok)] {
                if count > 0 {
                    let (y, height) = (bottom - (from + count) * HEIGHT, count * HEIGHT);
                    let wide = WIDTH - 2;
                    writeln!(
                        svg,
                        "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{height}\" fill=\"{colour}\"/>"
                    )?;
                }
            }
        }
        for (begun, ended) in &self.commands {
            let (x, end) = (LEFT + begun * WIDTH / 100, LEFT + ended * WIDTH / 100);
            let wide = end - x;
            writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{}\" width=\"{wide}\" height=\"5\" rx=\"2\" fill=\"{COMMAND}\"/>",
                bottom + 5
            )?;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
    let text = std::fs::read_to_string(folder.join("downtime.csv"))?;
    let ways = [("rollover", "rollover rotate --until retire"), ("now", "rollover rotate --now")];
    let read = ways.map(|(way, _)| Way::read(&text, way));
    let ways: Vec<_> =
        read.into_iter().zip(ways).map(|(way, (_, title))| way.map(|way| (way, title))).collect::<Result<_, _>>()?;
    let last = ways.iter().filter_map(|(way, _)| way.tenths.last()).map(|tenth| tenth.0).max().unwrap_or_default();
    let width = LEFT * 2 + (last / 100 + 1) * WIDTH;
    let all: u32 = ways.iter().map(|(way, _)| way.counted()).map(|(ok, failed)| ok + failed).sum();
    let end = 8 + CHART * 2;
    let height = end + 92;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" fill=\"{TEXT}\" role=\"img\">\n\
         <title>Requests of an app for tokens while its secret is changed three times: with a rollover none fails, with one call \
         some do</title>\n"
    );
    for (number, (way, title)) in ways.iter().enumerate() {
        way.draw(&mut svg, title, 8 + CHART * u32::try_from(number)?)?;
    }
    for second in (0..=last / 1_000).step_by(2) {
        let x = LEFT + second * 10 * WIDTH;
        writeln!(svg, "<text x=\"{x}\" y=\"{}\" font-size=\"12\">{second} s</text>", end + 12)?;
    }
    let (key, line) = (end + 36, end + 60);
    writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{OK}\"/><text x=\"{}\" y=\"{key}\" font-size=\"13\">got a \
         token</text>\n\
         <rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{FAILED}\"/><text x=\"{}\" y=\"{key}\" \
         font-size=\"13\">failed</text>\n\
         <rect x=\"{}\" y=\"{}\" width=\"24\" height=\"5\" rx=\"2\" fill=\"{COMMAND}\"/><text x=\"{}\" y=\"{key}\" \
         font-size=\"13\">the command runs</text>",
        key - 11,
        LEFT + 18,
        LEFT + 120,
        key - 11,
        LEFT + 138,
        LEFT + 210,
        key - 7,
        LEFT + 240
    )?;
    for (number, text) in [
        format!("Requests for a token in each tenth of a second, {all} in all, by an app that reads its .env when it is restarted."),
        "Measured on a pretend tenant that accepts an old secret for 0.4 s more; on Auth0 it is up to 30 s.".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let y = line + 18 * u32::try_from(number)?;
        writeln!(svg, "<text x=\"{LEFT}\" y=\"{y}\" font-size=\"12\">{text}</text>")?;
    }
    svg.push_str("</svg>\n");
    std::fs::write(folder.join("downtime.svg"), &svg)?;
    writeln!(std::io::stderr(), "assets/pictures/downtime.svg: {} bytes", svg.len())?;
    Ok(())
}

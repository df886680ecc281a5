//! The least that a program which fills the terminal can do: one frame of text, and then it waits for `q`. The floor
//! that `cargo bench --bench terminal` holds the start of rollover against.
use crossterm::event::{Event, KeyCode, read};
use ratatui::widgets::Paragraph;

fn main() -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let lines: Vec<_> = (0..40).map(|row| format!("row {row:02} {}", "of plain text ".repeat(8))).collect();
    terminal.draw(|frame| frame.render_widget(Paragraph::new(lines.join("\n")), frame.area()))?;
    while !matches!(read()?, Event::Key(key) if key.code == KeyCode::Char('q')) {}
    ratatui::try_restore()
}

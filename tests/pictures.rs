//! The pictures of the README are made from the program's own view, and shown without a secret.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../examples/pictures/scenes.rs"]
mod scenes;
#[path = "../examples/pictures/svg.rs"]
mod svg;

use std::path::Path;

fn pictures() -> Vec<(&'static str, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenes::FOLDER);
    ["welcome.svg", "clients.svg", "settings.svg", "question.svg", "rotated.svg", "delivered.svg"]
        .into_iter()
        .map(|file| (file, std::fs::read_to_string(folder.join(file)).expect("a picture")))
        .collect()
}

#[tokio::test]
async fn the_pictures_are_fresh() {
    let drawn = scenes::all().await.expect("all pictures can be drawn");
    let drawn: Vec<_> = drawn.into_iter().map(|picture| (picture.file, picture.svg)).collect();
    for ((file, there), (drawn_file, fresh)) in pictures().into_iter().zip(&drawn) {
        assert_eq!(file, *drawn_file);
        assert!(there == *fresh, "{}/{file} is stale: run cargo run --example pictures", scenes::FOLDER);
    }
    assert_eq!(drawn.len(), pictures().len());
}

#[test]
fn they_show_what_the_readme_says_and_no_secret() {
    let all = pictures();
    for (file, svg) in &all {
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{file}");
        let shown = if *file == "welcome.svg" { "How should rollover sign in?" } else { ">Billing API<" };
        assert!(svg.contains(shown), "{file}");
        assert!(svg.len() < 60_000, "{file}: {} bytes", svg.len());
        let is_of_a_secret = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        let longest = svg.as_bytes().split(|byte| !is_of_a_secret(byte)).map(<[u8]>::len).max();
        assert!(longest < Some(64), "{file} may hold a secret");
    }
    for (number, text) in
        [(2, ">Client Secret<"), (3, ">Rotate the client secret?<"), (4, ">New secret<"), (5, "Save Changes")]
    {
        let (file, svg) = &all[number];
        assert!(svg.contains(text), "{file} does not show {text}");
        assert!(number == 3 || svg.contains("••••••••••••••••••••••••"), "{file} shows no mask");
    }
}

#[test]
fn a_picture_is_xml() {
    for (file, svg) in pictures() {
        let mut open = Vec::new();
        for part in svg.split('<').skip(1) {
            let (tag, text) = part.split_once('>').expect("a tag that ends");
            assert!(!text.contains('>'), "{file}: {text}");
            let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
            if let Some(comment) = tag.strip_prefix("!--").and_then(|rest| rest.strip_suffix("--")) {
                assert!(!comment.contains("--"), "{file}: {comment}");
            } else if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "{file}");
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            let entities = part.split('&').skip(1);
            assert!(
                entities.into_iter().all(|rest| ["amp;", "lt;", "gt;", "quot;"].iter().any(|e| rest.starts_with(e)))
            );
        }
        assert!(open.is_empty(), "{file}: {open:?} is left open");
    }
}

#[test]
fn wide_characters_keep_the_grid_and_everything_is_escaped() {
    use ratatui::buffer::Buffer;
    use ratatui::style::{Color, Style};

    let buffer = Buffer::with_lines(["日本 x", "🦊 <&>", "a  \"b\""]);
    let svg = svg::draw(&buffer, "\"<&>\"").expect("a picture");
    let x = |column: u32| format!("{}.{}", (160 + column * 84) / 10, (160 + column * 84) % 10).replace(".0", "");
    // The middle of a wide character's two cells is where the second begins.
    let wide = [(1, "日"), (3, "本"), (1, "🦊")];
    let narrow = [(5, "x"), (3, "&lt;&amp;&gt;"), (0, "a"), (3, "&quot;b&quot;")];
    for (column, shown) in wide.into_iter().chain(narrow) {
        let line = svg.lines().find(|line| line.ends_with(&format!(">{shown}</text>"))).expect("the text");
        assert!(line.contains(&format!("x=\"{}\"", x(column))), "{line}");
    }
    assert!(svg.contains("aria-label=\"&quot;&lt;&amp;&gt;&quot;\""));

    let mut odd = buffer;
    odd.set_string(0, 0, "x", Style::new().fg(Color::Rgb(1, 2, 3)));
    assert!(svg::draw(&odd, "").is_err(), "what the palette lacks is not drawn in another colour");
}

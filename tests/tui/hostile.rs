//! Names and texts that would like to be more than text.
use rollover::domain::untrusted::shown;
use unicode_width::UnicodeWidthStr as _;

use super::app::App;
use super::{SIZES, assert_screen, faulty, tenant};

/// Characters that must never reach a terminal.
fn forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
        || ('\u{e0000}'..='\u{e0fff}').contains(&character)
}

fn assert_clean(app: &mut App) {
    for line in app.screen().lines() {
        assert!(!line.contains(forbidden), "{line:?}");
    }
}

#[tokio::test]
async fn hostile_names_are_shown_as_what_they_are() {
    for size in SIZES {
        let tenant = tenant().await;
        let mut app = App::on(&tenant, tenant.token(), None, size);
        app.idle().await;
        assert_clean(&mut app);
        for filter in ["totally fine", "viewer", "runner", "quarterly"] {
            app.type_(&format!("/{filter}<enter><enter>")).await;
            assert_clean(&mut app);
            app.type_("r").await;
            assert_clean(&mut app);
            app.type_("<enter>").await;
            assert_clean(&mut app);
            app.advance(std::time::Duration::from_secs(1));
            app.type_("n<esc><esc>").await;
        }
        app.type_("/totally<enter><enter>").await;
        assert_screen!(app, "hostile-name", size);
    }
}

#[tokio::test]
async fn error_texts_are_shown_as_what_they_are() {
    let body = "body = '{\"statusCode\":400,\"error\":\"Bad\",\"message\":\"\\u001b]0;owned\\u0007 \\u202e abc\",\"errorCode\":\"\\u001b[2J\"}'";
    let tenant = faulty(&format!("[[fault]]\npath = \"/api/v2/clients\"\nstatus = 400\n{body}\n")).await;
    let mut app = App::on(&tenant, tenant.token(), None, (80, 24));
    app.idle().await;
    assert_clean(&mut app);
    assert!(app.screen().contains("\\u{001B}]0;owned\\u{0007}"), "{}", app.screen());
}

/// What is shown of any text is as wide as the terminal thinks it is, and cannot move the cursor.
#[test]
fn a_corpus_of_hostile_texts_comes_out_harmless() {
    let mut random = fastrand::Rng::with_seed(11);
    let nasty = [
        "\u{1b}[31m",
        "\u{1b}]52;c;AAAA\u{7}",
        "\u{9b}2J",
        "\r\n",
        "\u{7}",
        "\u{8}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\u{e0041}",
        "\u{300}\u{301}\u{302}\u{303}",
        "日本",
        "🦊",
        "👩\u{200d}👩",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "a",
        "Z",
        " ",
    ];
    for _ in 0..10_000 {
        let text: String = (0..random.usize(..12)).map(|_| nasty[random.usize(..nasty.len())]).collect();
        let out = shown(&text);
        assert!(!out.contains(forbidden), "{text:?} became {out:?}");
        assert!(out.width() >= out.chars().filter(char::is_ascii).count(), "{out:?}");
    }
}

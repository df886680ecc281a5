//! `docs/keys.md` is made from the table of bindings.

#[test]
fn the_page_about_keys_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    let fresh = rollover::tui::app::keymap::document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &fresh).expect("docs/keys.md can be written");
    }
    let page = std::fs::read_to_string(path).expect("docs/keys.md is there");
    assert!(page == fresh, "docs/keys.md is stale: run UPDATE_DOCS=1 cargo test --test keys");
}

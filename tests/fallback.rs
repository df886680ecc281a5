//! The page about what an app does with two secrets holds its samples as they are run by `tests/fallback.sh`.
use std::fs;
use std::path::Path;

#[test]
fn the_page_holds_every_sample_as_it_is() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = fs::read_to_string(docs.join("fallback.md")).expect("the page");
    let mut samples: Vec<_> = fs::read_dir(docs.join("fallback"))
        .expect("the samples")
        .map(|entry| entry.expect("a sample").path())
        .collect();
    samples.sort();
    assert_eq!(samples.len(), 4, "{samples:?}");
    for path in samples {
        let text = fs::read_to_string(&path).expect("a sample");
        let there = page.contains(&format!("\n{text}```\n"));
        assert!(there, "docs/fallback.md does not hold {} as it is: put it there anew", path.display());
    }
}

use super::*;
use crate::targets::yaml::{edit, read};

const YAML: Under = Under { edit, read };

#[test]
fn only_the_value_changes() {
    let text =
        "\u{feff}# ünï\r\nb: 0o17 # octal\r\nauth0:\r\n    s:   old   # why\r\n    \"f\" : 'older'\r\n\r\nz: [ 1,\t2 ]";
    let with =
        "\u{feff}# ünï\r\nb: 0o17 # octal\r\nauth0:\r\n    s:   new   # why\r\n    \"f\" : 'old'\r\n\r\nz: [ 1,\t2 ]";
    YAML.becomes(text, &two("auth0.s", "auth0.f"), ("new", "old"), with);
    YAML.becomes(
        "---\ns: \"a\"\nf: 'b'\n...\n",
        &two("s", "f"),
        ("n\"\\w", "it's"),
        "---\ns: \"n\\\"\\\\w\"\nf: 'it''s'\n...\n",
    );
    YAML.becomes("s:\n  a\nf:\n- x\n", &two("s", "g"), ("new", ""), "s:\n  new\nf:\n- x\n");
    YAML.becomes("s: \"a\n  b\"\nx: 1\n", &two("s", "f"), ("new", ""), "s: \"new\"\nx: 1\n");
}

#[test]
fn what_would_be_read_as_something_else_is_put_in_quotes() {
    for value in [
        "123",
        "1e5",
        "-x",
        "_1",
        "0x1f",
        "true",
        "No",
        "null",
        "2026-11-25",
        "a b",
        "a: b",
        "x#y",
        ".5",
        "7up",
        "12:30",
    ] {
        let written = format!("\"{value}\"");
        YAML.becomes("s: old\n", &two("s", "f"), (value, ""), &format!("s: {written}\n"));
    }
    YAML.becomes("s: 'a'\n", &two("s", "f"), ("123", ""), "s: '123'\n");
    YAML.becomes("s: 'a'\n", &two("s", "f"), ("a\u{202e}b", ""), "s: \"a\\U0000202Eb\"\n");
}

#[test]
fn a_fallback_comes_behind_the_current_one_in_its_manner_and_goes_again() {
    let names = two("a.s", "a.f");
    YAML.adds("a:\n  s: x # why\nb: 1\n", &names, "a:\n  s: x # why\n  f: NEW\nb: 1\n");
    YAML.adds("a:\r\n  s: 'x'", &names, "a:\r\n  s: 'x'\r\n  f: 'NEW'");
    YAML.adds("a:\n  s: 'it''s'   # it's \"why\"\n", &names, "a:\n  s: 'it''s'   # it's \"why\"\n  f: 'NEW'\n");
    YAML.adds("a: { s: \"\\\"\" , \"c\" : 1 }\n", &names, "a: { s: \"\\\"\", f: \"NEW\" , \"c\" : 1 }\n");
    YAML.adds("a: {s: x}\n", &names, "a: {s: x, f: NEW}\n");
    YAML.adds("a: { s: \"x\" , c: 1 }\n", &names, "a: { s: \"x\", f: \"NEW\" , c: 1 }\n");
    YAML.adds("{\"a\":{\"s\":\"x\"}}", &names, "{\"a\":{\"s\":\"x\",\"f\":\"NEW\"}}");
    YAML.adds("a: {\n  s: x # why\n}\n", &names, "a: {\n  s: x,\n  f: NEW # why\n}\n");
    YAML.adds("a:\n  s:\n    x\n", &names, "a:\n  s:\n    x\n  f: NEW\n");
    YAML.adds("a:\n  s:   # to come\n\n  c: 1\n", &names, "a:\n  s:   # to come\n  f: \"NEW\"\n\n  c: 1\n");
    YAML.adds("s:", &two("s", "f"), "s:\nf: \"NEW\"");
    YAML.adds("'s': x\n\n\n", &two("s", "f"), "'s': x\n'f': NEW\n\n\n");
}

#[test]
fn an_empty_value_is_filled_behind_its_colon() {
    YAML.becomes("s:\nf:  # none yet\n", &two("s", "f"), ("a", "b"), "s: \"a\"\nf: \"b\"  # none yet\n");
    YAML.becomes("s: ~\nf: null\n", &two("s", "f"), ("a", "b"), "s: a\nf: b\n");
    YAML.becomes("{s: , f: }", &two("s", "f"), ("a", "b"), "{s: \"a\" , f: \"b\" }");
}

#[test]
fn a_fallback_that_stands_elsewhere_becomes_null() {
    YAML.becomes("f: a\ns: b\n", &two("s", "f"), ("b", ""), "f: null\ns: b\n");
    YAML.becomes("s: b\no:\n  f: \"a\"\n", &two("s", "o.f"), ("b", ""), "s: b\no:\n  f: null\n");
    // Its own lines go; what is said above them stays.
    YAML.becomes("s: b\n# above\nf: a # here\nx: 1\n", &two("s", "f"), ("b", ""), "s: b\n# above\nx: 1\n");
}

#[test]
fn a_list_holds_the_current_one_first() {
    let names = list("a.k", None);
    YAML.adds("a:\n  k:\n    - x # why\n", &names, "a:\n  k:\n    - x # why\n    - NEW\n");
    YAML.adds("a:\n  k:\n  -  \"x\"\nb: 1\n", &names, "a:\n  k:\n  -  \"x\"\n  -  \"NEW\"\nb: 1\n");
    YAML.adds("a: {k: [x]}\n", &names, "a: {k: [x, NEW]}\n");
    YAML.becomes("a:\n  k: [ p, 'q' ]\n", &names, ("q", "p"), "a:\n  k: [ q, 'p' ]\n");
    YAML.becomes("a:\n  k:\n", &names, ("y", "x"), "a:\n  k: [\"y\", \"x\"]\n");
    YAML.adds("a:\n  k: x\n", &list("a.k", Some("_-_")), "a:\n  k: x_-_NEW\n");
}

#[test]
fn what_cannot_be_read_or_changed_is_refused_with_its_line() {
    let names = two("a.s", "a.f");
    YAML.refuses("a:\n  s: x\n  s: y\n", &names, 3, "`a.s` is there twice");
    YAML.refuses("a: {}\nb: 1\n'a': {}\n", &names, 3, "is there twice");
    YAML.refuses("b: &b y\na:\n  s: *b\n", &names, 3, "is an alias");
    YAML.refuses("a:\n  s: &b x\n", &names, 2, "a tag or an anchor");
    YAML.refuses("a:\n  s: !!str x\n", &names, 2, "a tag or an anchor");
    YAML.refuses("a:\n  s: !vault |\n    x\n", &names, 2, "a tag or an anchor");
    YAML.refuses("a:\n  s: |\n    x\n", &names, 2, "a block of lines");
    YAML.refuses("a:\n  s: >-\n    x\n", &names, 2, "a block of lines");
    YAML.refuses("d: &d {s: x}\na:\n  <<: *d\n  s: x\n", &names, 3, "`<<` merges");
    YAML.refuses("d: &d {s: x}\na: *d\n", &names, 2, "no map of keys");
    YAML.refuses("a:\n  s: x\n---\na:\n  s: x\n", &names, 3, "several documents");
    YAML.refuses("a:\n  s: 12345\n", &names, 2, "no text");
    YAML.refuses("a:\n  s: 2026-11-25\n", &names, 2, "no text");
    YAML.refuses("a:\n  s: [x]\n", &names, 2, "a list");
    YAML.refuses("? s\n: x\n", &two("s", "f"), 1, "cannot be added");
    YAML.refuses("a:\n  s: \"x\n", &names, 2, "it is not YAML");
    YAML.refuses("a:\n  s: @x\n", &names, 2, "it is not YAML");
    YAML.refuses("", &names, 0, "no key `a.s`");
    YAML.refuses("- a\n", &names, 1, "no map of keys");
    YAML.refuses("a:\n  k:\n  - x\n  - y\n  - z\n", &list("a.k", None), 5, "more than two");
    let deep = format!("{}{}", "[".repeat(150), "]".repeat(150));
    YAML.refuses(&format!("s: x\nd: {deep}\n"), &two("s", "f"), 2, "too deep");
}

#[test]
fn what_others_refer_to_stays() {
    let text = "x-env: &env\n  s: old\nweb:\n  env: *env\nworker: !custom\n  env: &other [1, *env]\n";
    let with = "x-env: &env\n  s: old\n  f: NEW\nweb:\n  env: *env\nworker: !custom\n  env: &other [1, *env]\n";
    YAML.adds(text, &two("x-env.s", "x-env.f"), with);
}

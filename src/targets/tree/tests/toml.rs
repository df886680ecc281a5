use super::*;
use crate::targets::toml::{edit, read};

const TOML: Under = Under { edit, read };

#[test]
fn only_the_value_changes() {
    let text = "\u{feff}# top\r\nb=0x1F # hex\r\n[ auth0 ]\r\n  s   = \"old\" # why\r\n\"f\" = 'older'\r\n\r\n[z]\r\nd = 1979-05-27";
    let with = "\u{feff}# top\r\nb=0x1F # hex\r\n[ auth0 ]\r\n  s   = \"n\\\"e\\\\w\" # why\r\n\"f\" = 'old'\r\n\r\n[z]\r\nd = 1979-05-27";
    TOML.becomes(text, &two("auth0.s", "auth0.f"), ("n\"e\\w", "old"), with);
    TOML.becomes("s = 'a'\nf = 'b'\n", &two("s", "f"), ("it's", "c"), "s = \"it's\"\nf = 'c'\n");
    TOML.becomes("s = 'a'\n", &two("s", "f"), ("a\u{202e}b", ""), "s = \"a\\U0000202Eb\"\n");
}

#[test]
fn a_fallback_comes_behind_the_current_one_in_its_manner_and_goes_again() {
    let names = two("a.s", "a.f");
    TOML.adds("[a]\n  s = \"x\" # why\n\n[b]\n", &names, "[a]\n  s = \"x\" # why\n  f = \"NEW\"\n\n[b]\n");
    TOML.adds("[a]\r\ns='x'", &names, "[a]\r\ns='x'\r\nf='NEW'");
    TOML.adds("a.s = \"x\"\nc = 1\n", &names, "a.s = \"x\"\na.f = \"NEW\"\nc = 1\n");
    TOML.adds("a = { s = \"x\" }\n", &names, "a = { s = \"x\", f = \"NEW\" }\n");
    TOML.adds("a = {s=\"x\", c=1}\n", &names, "a = {s=\"x\",f=\"NEW\", c=1}\n");
    TOML.adds("a = { c = 1, s = \"x\" }\n", &names, "a = { c = 1, s = \"x\", f = \"NEW\" }\n");
    TOML.adds("a = {\n  s = \"x\", # why\n}\n", &names, "a = {\n  s = \"x\",\n  f = \"NEW\", # why\n}\n");
    TOML.adds("s = \"x\"\n[t]\n", &two("s", "two words"), "s = \"x\"\n\"two words\" = \"NEW\"\n[t]\n");
    TOML.adds(
        "[x.a]\n'client.s' = \"x\"\n",
        &two(r"x.a.client\.s", r"x.a.client\.f"),
        "[x.a]\n'client.s' = \"x\"\n'client.f' = \"NEW\"\n",
    );
}

#[test]
fn a_fallback_that_stands_elsewhere_becomes_empty() {
    TOML.becomes("f = \"a\"\ns = \"b\"\n", &two("s", "f"), ("b", ""), "f = \"\"\ns = \"b\"\n");
    TOML.becomes("s = \"b\"\n[o]\nf = 'a'\n", &two("s", "o.f"), ("b", ""), "s = \"b\"\n[o]\nf = \"\"\n");
    TOML.becomes(
        "s = \"b\"\nx.f = 1\n[o]\nf = \"\"\n",
        &two("s", "o.f"),
        ("b", "c"),
        "s = \"b\"\nx.f = 1\n[o]\nf = \"c\"\n",
    );
    // Its own lines go; what is said above them stays.
    TOML.becomes(
        "s = \"b\"\n# above\nf = \"a\" # here\nx = 1\n",
        &two("s", "f"),
        ("b", ""),
        "s = \"b\"\n# above\nx = 1\n",
    );
}

#[test]
fn a_list_holds_the_current_one_first() {
    let names = list("a.k", None);
    TOML.adds("a.k = [\"x\"]\n", &names, "a.k = [\"x\", \"NEW\"]\n");
    TOML.adds("a.k=['x',]\n", &names, "a.k=['x','NEW',]\n");
    TOML.adds("[a]\nk = [\n  \"x\", # why\n]\n", &names, "[a]\nk = [\n  \"x\",\n  \"NEW\", # why\n]\n");
    TOML.becomes("a.k = [ \"x\", 'y' ]\n", &names, ("y", "x"), "a.k = [ \"y\", 'x' ]\n");
    TOML.becomes("a.k = []\n", &names, ("y", "x"), "a.k = [\"y\", \"x\"]\n");
    TOML.adds("a.k = \"x\"\n", &list("a.k", Some(";")), "a.k = \"x;NEW\"\n");
}

#[test]
fn what_cannot_be_read_or_changed_is_refused_with_its_line() {
    let names = two("a.s", "a.f");
    TOML.refuses("[a]\ns = 1\ns = 2\n", &names, 3, "it is not TOML: duplicate key");
    TOML.refuses("[a]\n\ns = hunter2\n", &names, 3, "it is not TOML");
    TOML.refuses("[a]\ns = 12\n", &names, 2, "no text");
    TOML.refuses("[a]\ns = \"\"\"x\"\"\"\n", &names, 2, "a text of several lines");
    TOML.refuses("[a]\ns = '''x'''\n", &names, 2, "a text of several lines");
    TOML.refuses("[[a]]\ns = \"x\"\n", &names, 1, "no map of keys");
    TOML.refuses("s = \"x\"\n", &names, 0, "no key `a.s`");
    TOML.refuses("b = { a.s = \"x\" }\n", &two("b.a.s", "b.a.f"), 1, "cannot be added");
    let error = edit(b"s = [\"hunter2\", hunter3]", &two("s", "f"), &slots("a", "b")).expect_err("not TOML");
    assert!(!error.message.contains("hunter"), "{error:?}");
}

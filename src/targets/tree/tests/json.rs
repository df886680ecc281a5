use super::*;
use crate::targets::json::{edit, read};

const JSON: Under = Under { edit, read };

#[test]
fn only_the_value_changes() {
    let text = "\u{feff}{\r\n\t\"b\" : 1e5,\r\n\t\"s\"   :\"old\" ,\r\n\t\"f\": \"older\",\"z\":[ 1,\t2 ]}\r\n\r\n";
    let with =
        "\u{feff}{\r\n\t\"b\" : 1e5,\r\n\t\"s\"   :\"n\\\"e\\\\w\" ,\r\n\t\"f\": \"old\",\"z\":[ 1,\t2 ]}\r\n\r\n";
    JSON.becomes(text, &two("s", "f"), ("n\"e\\w", "old"), with);
}

#[test]
fn a_fallback_comes_behind_the_current_one_in_its_manner_and_goes_again() {
    let names = two("s", "f");
    JSON.adds(r#"{"s":"a"}"#, &names, r#"{"s":"a","f":"NEW"}"#);
    JSON.adds(r#"{"s": "a"}"#, &names, r#"{"s": "a", "f": "NEW"}"#);
    JSON.adds(r#"{ "s" : "a" , "b": 1 }"#, &names, r#"{ "s" : "a", "f" : "NEW" , "b": 1 }"#);
    JSON.adds("{\n  \"s\": \"a\"\n}\n", &names, "{\n  \"s\": \"a\",\n  \"f\": \"NEW\"\n}\n");
    JSON.adds(
        "{\r\n\r\n\t\"s\":\t\"a\",\r\n\t\"b\":1}",
        &names,
        "{\r\n\r\n\t\"s\":\t\"a\",\r\n\t\"f\":\t\"NEW\",\r\n\t\"b\":1}",
    );
    JSON.adds(
        "{\"auth0\": {\n    \"s\":\n      \"a\"}}",
        &two("auth0.s", "auth0.f"),
        "{\"auth0\": {\n    \"s\":\n      \"a\",\n    \"f\": \"NEW\"}}",
    );
    JSON.adds(r#"{"a.b":{"s":""}}"#, &two(r"a\.b.s", r"a\.b.f"), r#"{"a.b":{"s":"","f":"NEW"}}"#);
}

#[test]
fn a_fallback_that_stands_elsewhere_becomes_null() {
    JSON.becomes(r#"{"f":"a","s":"b"}"#, &two("s", "f"), ("b", ""), r#"{"f":null,"s":"b"}"#);
    JSON.becomes(r#"{"s":"b","x":0,"f":"a"}"#, &two("s", "f"), ("b", ""), r#"{"s":"b","x":0,"f":null}"#);
    JSON.becomes(r#"{"s":"b","o":{"f":"a"}}"#, &two("s", "o.f"), ("b", ""), r#"{"s":"b","o":{"f":null}}"#);
    JSON.becomes(r#"{"s":"b","o":{"f":null}}"#, &two("s", "o.f"), ("b", "c"), r#"{"s":"b","o":{"f":"c"}}"#);
    // What is empty already stays as it is.
    JSON.becomes(r#"{"s":"b","f":""}"#, &two("s", "f"), ("b", ""), r#"{"s":"b","f":""}"#);
}

#[test]
fn a_list_holds_the_current_one_first() {
    let names = list("k", None);
    JSON.adds(r#"{"k":["a"]}"#, &names, r#"{"k":["a","NEW"]}"#);
    JSON.adds(r#"{"k": ["a" ]}"#, &names, r#"{"k": ["a", "NEW" ]}"#);
    JSON.adds("{\"k\": [\n  \"a\"\n]}", &names, "{\"k\": [\n  \"a\",\n  \"NEW\"\n]}");
    JSON.becomes("{\"k\": [\"a\",\n\"b\"]}", &names, ("b", "a"), "{\"k\": [\"b\",\n\"a\"]}");
    JSON.becomes(r#"{"k": [ ]}"#, &names, ("a", "b"), r#"{"k": ["a", "b"]}"#);
    JSON.becomes(r#"{"k": null}"#, &names, ("a", ""), r#"{"k": ["a"]}"#);
    JSON.becomes(r#"{"k": ["a"]}"#, &names, ("", ""), r#"{"k": []}"#);
    JSON.adds(r#"{"k":"a"}"#, &list("k", Some(",")), r#"{"k":"a,NEW"}"#);
}

#[test]
fn what_cannot_be_read_or_changed_is_refused_with_its_line() {
    let names = two("a.s", "a.f");
    JSON.refuses("{\n\"a\": {\"s\":\"x\",\n\"s\":\"y\"}}", &names, 3, "`a.s` is there twice");
    JSON.refuses("{\"a\":{\"s\":\"x\"},\n\"a\":{}}", &names, 2, "is there twice");
    JSON.refuses("{\"a\":{\"s\":\"x\",\n\"f\":1,\"\\u0066\":2}}", &names, 2, "`a.f` is there twice");
    JSON.refuses("{\"a\":{\n\"s\": 12}}", &names, 2, "no text");
    JSON.refuses("{\"a\":{\n\"s\": {}}}", &names, 2, "a map of keys");
    JSON.refuses("{\"a\":\n[]}", &names, 2, "no map of keys");
    JSON.refuses("[]", &names, 1, "no map of keys");
    JSON.refuses("{}", &names, 0, "no key `a.s`");
    JSON.refuses("{\"s\":\"x\"}", &two("s", "o.f"), 0, "no key `o.f`");
    JSON.refuses("{\"s\":\"x\"}", &two("s", "s"), 0, "the same key");
    JSON.refuses("{\"s\":\"x\"}", &two("s", ".f"), 0, "an empty part");
    JSON.refuses("{\n\n\"s\" \"x\"}", &two("s", "f"), 3, "it is not JSON: expected `:`");
    JSON.refuses("{} {}", &two("s", "f"), 1, "trailing characters");
    JSON.refuses("{\"s\":\"x\", // why\n}", &two("s", "f"), 1, "it is not JSON");
    JSON.refuses("{\"s\":\"a\\u0000\"}", &two("s", "f"), 1, "control character");
    JSON.refuses("{\"s\":\"\\ud800\"}", &two("s", "f"), 1, "no text");
    JSON.refuses("{\"k\":[\"a\",\"b\",\n\"c\"]}", &list("k", None), 2, "more than two");
    JSON.refuses("{\"k\":\"a,b,c\"}", &list("k", Some(",")), 1, "more than two");
    JSON.refuses("{\"k\":\"a\"}", &list("k", Some("E")), 0, "what stands between");
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    JSON.refuses(&format!("{{\"s\":\"x\",\"d\":{deep}}}"), &two("s", "f"), 1, "too deep");
    let error = edit(b"{\n\"s\":\"\xff\"}", &two("s", "f"), &slots("a", "b")).expect_err("no text");
    assert_eq!((error.line, error.message.as_str()), (Some(2), "it is not UTF-8"));
    let error = edit(b"{\"s\":\"a\"}", &two("s", "f"), &slots("a", "b\nc")).expect_err("not written");
    assert!(error.message.contains("control character"), "{error:?}");
}

#[test]
fn nothing_is_read_where_nothing_is() {
    for text in ["{}", "{\"a\":null}", "{\"a\":{}}", "{\"a\":{\"s\":null,\"f\":\"\"}}"] {
        assert_eq!(read(text.as_bytes(), &two("a.s", "a.f")), Ok(Slots::default()), "{text}");
    }
}

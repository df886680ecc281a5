use super::*;

const CURRENT: &str = "AUTH0_CLIENT_SECRET";
const FALLBACK: &str = "AUTH0_CLIENT_SECRET_FALLBACK";

fn secret(text: &str) -> Option<Arc<Secret>> {
    (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())))
}

fn slots(current: &str, fallback: &str) -> Slots {
    Slots { current: secret(current), fallback: secret(fallback) }
}

/// The file after an edit, as text; or the line and the message.
fn after(text: &str, current: &str, fallback: &str) -> Result<String, String> {
    edit(text.as_bytes(), &SlotNames::default(), &slots(current, fallback))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| told(&error))
}

fn told(error: &EditError) -> String {
    error.line.map_or_else(|| error.message.clone(), |line| format!("{line}: {}", error.message))
}

#[test]
fn only_the_value_changes() {
    for (before, expected) in [
        ("AUTH0_CLIENT_SECRET=old\n", "AUTH0_CLIENT_SECRET=new\n"),
        ("AUTH0_CLIENT_SECRET=old", "AUTH0_CLIENT_SECRET=new"),
        ("AUTH0_CLIENT_SECRET=", "AUTH0_CLIENT_SECRET=new"),
        ("\u{feff}AUTH0_CLIENT_SECRET=old\r\n", "\u{feff}AUTH0_CLIENT_SECRET=new\r\n"),
        ("A=1\rAUTH0_CLIENT_SECRET=old\rB=2\r", "A=1\rAUTH0_CLIENT_SECRET=new\rB=2\r"),
        (" \texport\t AUTH0_CLIENT_SECRET =  old  # why\n", " \texport\t AUTH0_CLIENT_SECRET =  new  # why\n"),
        ("AUTH0_CLIENT_SECRET='old' # 'x\n", "AUTH0_CLIENT_SECRET='new' # 'x\n"),
        ("AUTH0_CLIENT_SECRET=\"old\"\n\n\n", "AUTH0_CLIENT_SECRET=\"new\"\n\n\n"),
        ("AUTH0_CLIENT_SECRET= # none\n", "AUTH0_CLIENT_SECRET=new # none\n"),
        ("AUTH0_CLIENT_SECRET=   \n", "AUTH0_CLIENT_SECRET=new   \n"),
        ("#AUTH0_CLIENT_SECRET=no\nAUTH0_CLIENT_SECRET=old\n", "#AUTH0_CLIENT_SECRET=no\nAUTH0_CLIENT_SECRET=new\n"),
        (
            "A='\nAUTH0_CLIENT_SECRET=no\n'\nB=\"\\\"\nAUTH0_CLIENT_SECRET=no\n\"\nAUTH0_CLIENT_SECRET=old\n",
            "A='\nAUTH0_CLIENT_SECRET=no\n'\nB=\"\\\"\nAUTH0_CLIENT_SECRET=no\n\"\nAUTH0_CLIENT_SECRET=new\n",
        ),
        ("A=Bob's app\nAUTH0_CLIENT_SECRET=old\nB=$A`\n", "A=Bob's app\nAUTH0_CLIENT_SECRET=new\nB=$A`\n"),
        ("MY_AUTH0_CLIENT_SECRET=a\nAUTH0_CLIENT_SECRET=old\n", "MY_AUTH0_CLIENT_SECRET=a\nAUTH0_CLIENT_SECRET=new\n"),
    ] {
        assert_eq!(after(before, "new", "").as_deref(), Ok(expected), "{before:?}");
    }
}

#[test]
fn what_is_no_text_stays_as_it_is() {
    let before = b"A=\xff\xfe\n\xc3=\x00\nAUTH0_CLIENT_SECRET=old\n#\xff";
    let result = edit(before, &SlotNames::default(), &slots("new", "")).expect("it is edited");
    assert_eq!(result.as_slice(), b"A=\xff\xfe\n\xc3=\x00\nAUTH0_CLIENT_SECRET=new\n#\xff");
}

#[test]
fn a_fallback_is_added_below_and_goes_as_it_came() {
    for (before, with) in [
        ("AUTH0_CLIENT_SECRET=old\nB=1\n", "AUTH0_CLIENT_SECRET=old\nAUTH0_CLIENT_SECRET_FALLBACK=next\nB=1\n"),
        ("AUTH0_CLIENT_SECRET=old", "AUTH0_CLIENT_SECRET=old\nAUTH0_CLIENT_SECRET_FALLBACK=next"),
        ("A=1\r\nAUTH0_CLIENT_SECRET=old", "A=1\r\nAUTH0_CLIENT_SECRET=old\r\nAUTH0_CLIENT_SECRET_FALLBACK=next"),
        (
            "  export AUTH0_CLIENT_SECRET='old' # why\r\n",
            "  export AUTH0_CLIENT_SECRET='old' # why\r\n  export AUTH0_CLIENT_SECRET_FALLBACK='next'\r\n",
        ),
    ] {
        assert_eq!(after(before, "old", "next").as_deref(), Ok(with));
        assert_eq!(after(with, "old", "").as_deref(), Ok(before));
    }
}

#[test]
fn no_file_comes_to_end_in_a_blank() {
    let before = "AUTH0_CLIENT_SECRET='old' \nAUTH0_CLIENT_SECRET_FALLBACK='next'";
    assert_eq!(after(before, "old", "").as_deref(), Ok("AUTH0_CLIENT_SECRET='old' \n"));
}

#[test]
fn a_fallback_that_somebody_wrote_is_emptied_and_stays() {
    for (before, expected) in [
        (
            "AUTH0_CLIENT_SECRET=old\nAUTH0_CLIENT_SECRET_FALLBACK=a # why\n",
            "AUTH0_CLIENT_SECRET=old\nAUTH0_CLIENT_SECRET_FALLBACK='' # why\n",
        ),
        (
            "AUTH0_CLIENT_SECRET=old\n\nAUTH0_CLIENT_SECRET_FALLBACK=\"a\"\n",
            "AUTH0_CLIENT_SECRET=old\n\nAUTH0_CLIENT_SECRET_FALLBACK=\"\"\n",
        ),
        (
            "AUTH0_CLIENT_SECRET_FALLBACK=a\nAUTH0_CLIENT_SECRET=old\n",
            "AUTH0_CLIENT_SECRET_FALLBACK=\nAUTH0_CLIENT_SECRET=old\n",
        ),
    ] {
        assert_eq!(after(before, "old", "").as_deref(), Ok(expected));
    }
}

#[test]
fn quotes_are_chosen_where_they_are_needed() {
    for (secret, expected) in
        [("a b", "'a b'"), ("a$b", "'a$b'"), ("it's", "\"it's\""), ("a\"b", "'a\"b'"), ("a#b", "'a#b'"), ("=a", "'=a'")]
    {
        assert_eq!(after("AUTH0_CLIENT_SECRET=old\n", secret, ""), Ok(format!("AUTH0_CLIENT_SECRET={expected}\n")));
    }
    for secret in ["a'$b", "a\nb", "a\0", "'\"", "${a}", "a\\\\", "\u{1b}"] {
        let why = after("AUTH0_CLIENT_SECRET=old\n", secret, "").expect_err("no app reads it as it is");
        assert!(
            why.starts_with("the secret for AUTH0_CLIENT_SECRET cannot be written: ") && !why.contains(secret),
            "{why}"
        );
    }
}

#[test]
fn what_apps_read_in_different_ways_is_refused_with_its_line() {
    for (text, part) in [
        (
            "AUTH0_CLIENT_SECRET=a\nB=1\nAUTH0_CLIENT_SECRET=b\n",
            "3: AUTH0_CLIENT_SECRET is set in line 1 and again in line 3",
        ),
        ("B=1\nAUTH0_CLIENT_SECRET=${X}\n", "2: the value of AUTH0_CLIENT_SECRET cannot be read: `$` is in it"),
        ("AUTH0_CLIENT_SECRET=\"$X\"\n", "1: the value of AUTH0_CLIENT_SECRET cannot be read: `$` is in it"),
        ("AUTH0_CLIENT_SECRET=a\nAUTH0_CLIENT_SECRET_FALLBACK=$X\n", "2: the value of AUTH0_CLIENT_SECRET_FALLBACK"),
        ("AUTH0_CLIENT_SECRET='a\nb'\n", "1: the value of AUTH0_CLIENT_SECRET cannot be read: a line break"),
        ("AUTH0_CLIENT_SECRET=`a`\n", "a backtick"),
        ("AUTH0_CLIENT_SECRET=a'b'\n", "a quote is in it"),
        ("AUTH0_CLIENT_SECRET='a'b\n", "something stands behind the closing quote"),
        ("AUTH0_CLIENT_SECRET='a'#b\n", "something stands behind the closing quote"),
        ("AUTH0_CLIENT_SECRET=#b\n", "`#` is in it"),
        ("AUTH0_CLIENT_SECRET\n", "does not stand as `AUTH0_CLIENT_SECRET=`"),
        ("export AUTH0_CLIENT_SECRET\n", "does not stand as"),
        ("AUTH0_CLIENT_SECRET: a\n", "does not stand as"),
        ("AUTH0_CLIENT_SECRET+=a\n", "does not stand as"),
        ("'AUTH0_CLIENT_SECRET'=a\n", "does not stand as"),
        ("A=1\\\nAUTH0_CLIENT_SECRET=a\n", "2: the line before AUTH0_CLIENT_SECRET ends in a backslash"),
        ("#\n\nA='\nAUTH0_CLIENT_SECRET=a\n", "3: the quote that opens there does not close"),
        ("A=\"C:\\\\\"\nAUTH0_CLIENT_SECRET=a\n", "1: a backslash stands before the closing quote"),
        ("A='C:\\'\nAUTH0_CLIENT_SECRET=a\n", "1: a backslash stands before the closing quote"),
        ("A=1\rAUTH0_CLIENT_SECRET=a\n", "a carriage return alone"),
        ("A='\n\r\n\n'\nAUTH0_CLIENT_SECRET=$\n", "5: the value of"),
    ] {
        let read = read(text.as_bytes(), &SlotNames::default()).map_err(|error| told(&error)).expect_err(text);
        assert!(read.contains(part), "{text:?}: {read}");
        assert_eq!(after(text, "new", "more"), Err(read), "{text:?}");
    }
}

#[test]
fn a_key_that_is_not_there_is_named() {
    assert_eq!(read(b"A=1\n", &SlotNames::default()), Ok(Slots::default()));
    for text in ["A=1\n", "", "AUTH0_CLIENT_SECRET_FALLBACK=a\n"] {
        let why = after(text, "new", "next").expect_err("there is no place");
        assert!(why.starts_with("there is no AUTH0_CLIENT_SECRET in it"), "{why}");
    }
    for key in ["", "1A", "A B", "A=", "A.B", "Ä", "A\n"] {
        let names = SlotNames::Two { current: key.to_owned(), fallback: "B".to_owned() };
        assert!(read(b"", &names).is_err(), "{key}");
    }
    let names = SlotNames::Two { current: CURRENT.to_owned(), fallback: CURRENT.to_owned() };
    assert!(read(b"", &names).is_err());
}

#[test]
fn a_list_is_one_value() {
    let names = |separator: Option<&str>| SlotNames::List {
        key: "SECRETS".to_owned(),
        separator: separator.map(str::to_owned),
    };
    for (separator, before, expected) in [
        (Some(","), "SECRETS=a\n", "SECRETS=new,old\n"),
        (Some(" "), "SECRETS=a\n", "SECRETS='new old'\n"),
        (Some("::"), "export SECRETS=\"a\" # b\n", "export SECRETS=\"new::old\" # b\n"),
        (None, "SECRETS=\n", "SECRETS='[\"new\",\"old\"]'\n"),
    ] {
        let names = names(separator);
        let result = edit(before.as_bytes(), &names, &slots("new", "old")).expect("it is edited");
        assert_eq!(String::from_utf8_lossy(&result), expected);
        let one = edit(&result, &names, &slots("new", "")).expect("it is edited");
        assert_eq!(read(&one, &names), Ok(slots("new", "")));
    }
    for (separator, current, fallback) in [
        (Some(","), "a,b", "c"),
        (Some("--"), "a-", "b"),
        (Some(""), "a", "b"),
        (Some("\n"), "a", "b"),
        (None, "", "b"),
    ] {
        assert!(edit(b"SECRETS=a", &names(separator), &slots(current, fallback)).is_err(), "{separator:?}");
    }
    assert!(read(b"SECRETS=a,b,c", &names(Some(","))).is_err());
    assert!(read(b"SECRETS='{}'", &names(None)).is_err());
    let nasty = slots("a'b\"c\\d$e`f", "${x}");
    let result = edit(b"SECRETS=", &names(None), &nasty).expect("JSON holds all of it");
    assert_eq!(read(&result, &names(None)), Ok(nasty));
}

#[test]
fn docker_takes_everything_behind_the_sign() {
    let after = |text: &str, current: &str, fallback: &str| {
        docker::edit(text.as_bytes(), &SlotNames::default(), &slots(current, fallback))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|error| told(&error))
    };
    for (before, expected) in [
        (
            "A='\nAUTH0_CLIENT_SECRET= \"$old\" # \\\n",
            "A='\nAUTH0_CLIENT_SECRET=$n '\nAUTH0_CLIENT_SECRET_FALLBACK=next\n",
        ),
        (" AUTH0_CLIENT_SECRET=old\r\n", " AUTH0_CLIENT_SECRET=$n '\r\n AUTH0_CLIENT_SECRET_FALLBACK=next\r\n"),
        ("AUTH0_CLIENT_SECRET=old", "AUTH0_CLIENT_SECRET=$n '\nAUTH0_CLIENT_SECRET_FALLBACK=next"),
    ] {
        assert_eq!(after(before, "$n '", "next").as_deref(), Ok(expected));
    }
    assert_eq!(docker::read(b"AUTH0_CLIENT_SECRET= 'a' # b", &SlotNames::default()), Ok(slots(" 'a' # b", "")));
    for text in [
        "AUTH0_CLIENT_SECRET\n",
        "export AUTH0_CLIENT_SECRET=a\n",
        "AUTH0_CLIENT_SECRET =a\n",
        "AUTH0_CLIENT_SECRET=a\rb\n",
    ] {
        assert!(docker::read(text.as_bytes(), &SlotNames::default()).is_err(), "{text:?}");
    }
    assert!(after("AUTH0_CLIENT_SECRET=a\n", "b\rc", "").is_err());
}

#[test]
fn no_message_holds_a_value() {
    let value = "canary-0123456789";
    for text in [
        format!("AUTH0_CLIENT_SECRET={value}\nAUTH0_CLIENT_SECRET={value}\n"),
        format!("AUTH0_CLIENT_SECRET=${value}\n"),
        format!("AUTH0_CLIENT_SECRET='{value}'{value}\n"),
        format!("A='{value}\nAUTH0_CLIENT_SECRET={value}\n"),
    ] {
        let why = after(&text, value, "").expect_err("it is refused");
        assert!(!why.contains(value), "{why}");
    }
    assert!(FALLBACK.starts_with(CURRENT));
}

//! What a secret must not be able to do, asked of the compiler by what it makes of a name, not by the text of its errors:
//! that holds from one version of it to the next, and a misspelt question fails to build rather than passing.
#![expect(dead_code, reason = "of the two answers to a question one is never given")]

/// Whether a type has a trait: where it has, the constant of the type itself comes before that of the trait.
macro_rules! has {
    ($type:ty: $bound:path) => {{
        struct Asked<T: ?Sized>(std::marker::PhantomData<T>);
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Asked<T> {}
        impl<T: ?Sized + $bound> Asked<T> {
            const HAS: bool = true;
        }
        Asked::<$type>::HAS
    }};
}

/// For each trait whether a secret has it, and whether a text has it: what could not be seen there could be seen nowhere.
macro_rules! secret_and_text {
    ($($bound:path),+ $(,)?) => {
        [$((stringify!($bound), has!(rollover::domain::Secret: $bound), has!(String: $bound))),+]
    };
}

#[test]
fn a_secret_cannot_be_printed_serialised_copied_or_taken_for_a_text() {
    for (name, secret, text) in secret_and_text![
        std::fmt::Display,
        ToString,
        Clone,
        serde::Serialize,
        std::ops::Deref<Target = str>,
        AsRef<str>,
        AsRef<[u8]>,
        AsRef<std::ffi::OsStr>,
        std::borrow::Borrow<str>,
        Into<String>,
        Into<Box<str>>,
        std::hash::Hash,
        PartialOrd,
        PartialEq<str>,
        Default,
    ] {
        assert!(text, "a text is {name}: the question is a good one");
        assert!(!secret, "a secret must not be {name}");
    }
}

#[test]
fn a_secret_can_be_shared_between_tasks_and_compared() {
    for (name, secret, text) in secret_and_text![std::fmt::Debug, Eq, Send, Sync, Unpin] {
        assert!(secret && text, "{name}");
    }
}

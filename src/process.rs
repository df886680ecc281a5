//! What the operating system must do for us before a secret is in memory.

/// Forbids core dumps of this process, and on Linux reading its memory, environment and open files
/// by other processes of the same user (root still can). Call it first thing in `main`.
///
/// A system that refuses is left as it is: the program is still useful there, and whoever could act
/// on the refusal is not the person at the keyboard.
///
/// Source: `setrlimit(2)` for `RLIMIT_CORE`, `prctl(2)` for `PR_SET_DUMPABLE`. Neither outlives an
/// `execve`, except the limit, so a child that holds secrets has to call this for itself.
pub fn harden() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// What [`harden`] has achieved. `None` where the system knows of no such thing, or does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// A crash leaves no memory in a file.
    pub no_core_dumps: Option<bool>,
    /// Other programs of the same user cannot read the memory.
    pub closed_memory: Option<bool>,
}

/// Reads back what is in force for this process.
#[must_use]
pub fn hardening() -> Hardening {
    #[cfg(unix)]
    let no_core_dumps = {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::Core);
        Some((limit.current, limit.maximum) == (Some(0), Some(0)))
    };
    #[cfg(not(unix))]
    let no_core_dumps = None;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let closed_memory = {
        use rustix::process::{DumpableBehavior, dumpable_behavior};
        dumpable_behavior().ok().map(|behavior| behavior == DumpableBehavior::NotDumpable)
    };
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let closed_memory = None;
    Hardening { no_core_dumps, closed_memory }
}

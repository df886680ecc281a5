/// The help screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// First line that is shown.
    pub scroll: usize,
}

/// How an app is taught to try a fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guide {
    /// First line that is shown.
    pub scroll: usize,
}

/// The help screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// First line that is shown.
    pub scroll: usize,
}

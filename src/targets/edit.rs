//! What the formats say of a text that they cannot read or edit.

/// Why a text cannot be read or edited: the line, where it is known, and what is wrong. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError {
    /// Line, counted from one.
    pub line: Option<usize>,
    /// What is wrong; never holds a value.
    pub message: String,
}

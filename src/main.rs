//! The `rollover` program.
fn main() {}

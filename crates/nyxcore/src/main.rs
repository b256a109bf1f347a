//! The `nyxcore` program.
fn main() {}

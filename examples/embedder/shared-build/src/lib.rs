//! An empty crate that only enables features of dependencies, see `Cargo.toml`.

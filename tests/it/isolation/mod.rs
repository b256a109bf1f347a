//! Isolation, proven: what each role, another tenant and nobody get from every field of the schema, and what PostgreSQL holds by itself.

mod cursors;
mod database;
mod digest;
mod doctor;
mod holes;
mod matrix;
mod policy;
mod registry;
mod rows;
mod schema;
mod server;
mod statements;
mod streams;
mod team;
mod tokens;
mod world;

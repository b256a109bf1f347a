//! Isolation: the responses of every field of the schema to each role, another tenant and an anonymous client, and the
//! rules that PostgreSQL enforces.

mod columns;
mod cursors;
mod database;
mod digest;
mod doctor;
mod holes;
mod matrix;
mod mcp;
mod plans;
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

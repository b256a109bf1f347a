//! The GraphQL schema and its transports. The only crate that knows async-graphql and axum.

//! The members of a tenant: one of each role, each with a token.

use std::collections::BTreeMap;

use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tenancy::{Role, Tenant, UserId};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};
use serde_json::Value as Json;

use super::server::Server;
use crate::support::tenant;

/// The roles, the highest first.
pub const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Member, Role::Viewer];

/// A tenant and its people.
pub struct Team {
    pub tenant: Tenant,
    /// A part of every text of the tenant, so that its presence in a response reveals a leak.
    pub mark: String,
    pub owner: UserId,
    /// The user with the role MEMBER.
    pub member: UserId,
    tokens: BTreeMap<&'static str, String>,
}

impl Team {
    pub async fn make(server: &Server, slug: &str) -> Self {
        let (tenant, owner) = tenant(&server.store, slug).await;
        let mut team = Self {
            mark: format!("{slug}only"),
            owner: owner.id,
            member: owner.id,
            tenant,
            tokens: BTreeMap::new(),
        };
        for role in ROLES {
            let user = match role {
                Role::Owner => owner.id,
                _ => team.member_add(server, role).await,
            };
            if role == Role::Member {
                team.member = user;
            }
            let token = team.token_make(server, user, role).await;
            // Its first use is stored, and no later one, because the clock stands still.
            server
                .ask(Some(&token), "{ __typename }", &Json::Null)
                .await;
            team.tokens.insert(role.as_str(), token);
        }
        team
    }

    pub async fn member_add(&self, server: &Server, role: Role) -> UserId {
        let superuser = &server.superuser;
        let (user, now) = (server.store.env().id(), server.store.env().now());
        let email = format!("{user}@{}.example", self.tenant.slug);
        let values: [Value; 4] = [
            user.into(),
            email.into(),
            self.mark.clone().into(),
            now.into(),
        ];
        execute(
            superuser,
            "INSERT INTO users (id, email, name, created_at) VALUES ($1, $2, $3, $4)",
            values,
        )
        .await;
        let values: [Value; 4] = [
            self.tenant.id.0.into(),
            user.into(),
            role.as_str().into(),
            now.into(),
        ];
        execute(superuser, "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)", values).await;
        UserId(user)
    }

    pub async fn token_make(&self, server: &Server, user: UserId, role: Role) -> String {
        let scoped = server.store.write(self.tenant.id).await.unwrap();
        let name = self.mark.clone();
        let new = NewApiToken {
            user,
            name,
            role,
            expires_at: None,
        };
        let (_, token) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        token
    }

    /// A token of a new user with that role, so that the next case does not miss a user who leaves or loses a right.
    pub async fn somebody(&self, server: &Server, role: Role) -> String {
        let user = self.member_add(server, role).await;
        let token = self.token_make(server, user, role).await;
        server
            .ask(Some(&token), "{ __typename }", &Json::Null)
            .await;
        token
    }

    pub fn token(&self, role: Role) -> &str {
        &self.tokens[role.as_str()]
    }
}

pub async fn execute(db: &DatabaseConnection, sql: &str, values: impl IntoIterator<Item = Value>) {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

//! Every operation that revokes rights invalidates the credentials cached by other replicas.

use std::time::Duration;

use nyxcore_tenancy::directory::{NewApiToken, api_token_create, token_authenticate};
use nyxcore_tenancy::people::{member_leave, member_remove, member_role_set, ownership_transfer};
use nyxcore_tenancy::sign_in::{
    Client, Password, PasswordHasher, password_change, password_reset, password_sign_in,
    session_authenticate, session_revoke, sign_out_everywhere,
};
use nyxcore_tenancy::{
    Acting, Caller, Credential, Origin, Role, SessionId, Signal, SignalReceiver, Store, User,
    UserId,
};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::credentials::remembering;
use crate::people::{accept, invite};
use crate::support::{self, has_world, store, tenant};

const PASSWORD: &str = "correct horse battery staple";

/// A store that makes changes, and a replica that caches credentials for an hour. On SQLite, where one process serves,
/// both are the same store.
struct Replicas {
    world: support::World,
    replica: Store,
    hasher: PasswordHasher,
}

has_world!(Replicas);

/// The role of a cached credential, and the signals since then.
type Listening = (Role, SignalReceiver);

impl Replicas {
    async fn new(db: &TestDatabase) -> Self {
        let (replica, _) = remembering(db).await;
        let store = match db.backend() {
            sea_orm::DbBackend::Postgres => store(db).await,
            _ => replica.clone(),
        };
        let hasher = PasswordHasher::new().unwrap();
        Self {
            world: support::World::new(store, "acme").await,
            replica,
            hasher,
        }
    }

    /// Adds a member with a password to the tenant.
    async fn member(&self, name: &str, role: Role) -> User {
        let email = format!("{name}@example.org");
        let (_, user) = tenant(&self.store, &format!("home-of-{name}")).await;
        let user = password_reset(
            &self.store,
            &self.hasher,
            &user.email,
            &Password::new(PASSWORD),
        )
        .await
        .unwrap();
        let (_, secret) = invite(&self.store, &self.tenant, &user.email, role).await;
        assert_eq!(
            accept(&self.store, &secret, user.id).await.unwrap(),
            role,
            "{email}"
        );
        user
    }

    async fn session(&self, user: &User) -> (SessionId, String) {
        let (password, client) = (Password::new(PASSWORD), Client::default());
        let new = password_sign_in(&self.store, &self.hasher, &user.email, &password, &client)
            .await
            .unwrap();
        (new.session.id, new.secret)
    }

    async fn token(&self, user: UserId, role: Role) -> String {
        let scoped = self.write().await;
        let new = NewApiToken {
            user,
            name: "test".into(),
            role,
            expires_at: None,
        };
        let (_, secret) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        secret
    }

    fn acting(&self, user: UserId, role: Role) -> Acting {
        let credential = Credential::Session(SessionId(self.store.env().id()));
        Acting::new(
            Caller {
                tenant: self.tenant.id,
                user,
                role,
                credential,
            },
            Origin::default(),
        )
    }

    /// The role that the replica gives the credential in the tenant.
    async fn role(&self, secret: &str) -> Option<Role> {
        if secret.starts_with("nyxs_") {
            let known = session_authenticate(&self.replica, secret, Some("acme"))
                .await
                .unwrap();
            return known
                .and_then(|known| known.caller)
                .map(|caller| caller.role);
        }
        let caller = token_authenticate(&self.replica, secret).await.unwrap();
        caller.map(|caller| caller.role)
    }

    /// Waits for the signal after which the replica gives the credential another role, and returns that role.
    async fn role_after(&self, (before, mut signals): Listening, secret: &str) -> Option<Role> {
        let changed = async {
            loop {
                let now = self.role(secret).await;
                if now != Some(before) {
                    return now;
                }
                assert!(matches!(signals.recv().await, Signal::Changed { .. }));
            }
        };
        let changed = tokio::time::timeout(Duration::from_secs(20), changed).await;
        changed.expect("a signal that reaches the credential")
    }

    /// Receives signals from now on. The credential is cached with that role.
    async fn listening(&self, secret: &str, role: Role) -> Listening {
        let signals = self.replica.signals();
        assert_eq!(self.role(secret).await, Some(role));
        (role, signals)
    }
}

on_both_databases! {
    async fn a_lower_role_reaches_remembered_credentials(db: TestDatabase) {
        let world = Replicas::new(&db).await;
        let bob = world.member("bob", Role::Admin).await;
        for secret in [world.token(bob.id, Role::Admin).await, world.session(&bob).await.1] {
            let signals = world.listening(&secret, Role::Admin).await;
            let scoped = world.write().await;
            member_role_set(&scoped, bob.id, Role::Viewer).await.unwrap();
            scoped.commit().await.unwrap();
            assert_eq!(world.role_after(signals, &secret).await, Some(Role::Viewer));
            let scoped = world.write().await;
            member_role_set(&scoped, bob.id, Role::Admin).await.unwrap();
            scoped.commit().await.unwrap();
        }
    }

    async fn a_removal_reaches_remembered_credentials(db: TestDatabase) {
        let world = Replicas::new(&db).await;
        for name in ["bob", "eve"] {
            let user = world.member(name, Role::Member).await;
            let secret = match name {
                "bob" => world.token(user.id, Role::Member).await,
                _ => world.session(&user).await.1,
            };
            let signals = world.listening(&secret, Role::Member).await;
            let scoped = world.write().await;
            member_remove(&scoped, user.id).await.unwrap();
            scoped.commit().await.unwrap();
            assert_eq!(world.role_after(signals, &secret).await, None, "{name}");
        }
    }

    async fn leaving_reaches_remembered_credentials(db: TestDatabase) {
        let world = Replicas::new(&db).await;
        let bob = world.member("bob", Role::Member).await;
        let token = world.token(bob.id, Role::Member).await;
        let signals = world.listening(&token, Role::Member).await;
        let scoped = world.store.write_as(&world.acting(bob.id, Role::Member)).await.unwrap();
        member_leave(&scoped).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.role_after(signals, &token).await, None);
    }

    async fn a_transfer_reaches_the_former_owners_credentials(db: TestDatabase) {
        let world = Replicas::new(&db).await;
        let bob = world.member("bob", Role::Member).await;
        let token = world.token(world.owner.id, Role::Owner).await;
        let signals = world.listening(&token, Role::Owner).await;
        let scoped = world.store.write_as(&world.acting(world.owner.id, Role::Owner)).await.unwrap();
        ownership_transfer(&scoped, bob.id).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.role_after(signals, &token).await, Some(Role::Admin));
    }

    async fn signing_out_reaches_remembered_sessions(db: TestDatabase) {
        let world = Replicas::new(&db).await;
        let bob = world.member("bob", Role::Member).await;
        let (id, secret) = world.session(&bob).await;
        let signals = world.listening(&secret, Role::Member).await;
        session_revoke(&world.store, bob.id, id, &Client::default()).await.unwrap();
        assert_eq!(world.role_after(signals, &secret).await, None);

        let (_, secret) = world.session(&bob).await;
        let signals = world.listening(&secret, Role::Member).await;
        sign_out_everywhere(&world.store, bob.id, None, &Client::default()).await.unwrap();
        assert_eq!(world.role_after(signals, &secret).await, None);
    }

    async fn a_new_password_reaches_remembered_sessions(db: TestDatabase) {
        let world = Replicas::new(&db).await;
        let bob = world.member("bob", Role::Member).await;
        let (kept, kept_secret) = world.session(&bob).await;
        let (_, secret) = world.session(&bob).await;
        let signals = world.listening(&secret, Role::Member).await;
        let (old, new) = (Password::new(PASSWORD), Password::new("another horse battery staple"));
        password_change(&world.store, &world.hasher, (&bob, kept), &old, &new, &Client::default()).await.unwrap();
        assert_eq!(world.role_after(signals, &secret).await, None);
        assert_eq!(world.role(&kept_secret).await, Some(Role::Member));

        let signals = world.listening(&kept_secret, Role::Member).await;
        password_reset(&world.store, &world.hasher, &bob.email, &Password::new(PASSWORD)).await.unwrap();
        assert_eq!(world.role_after(signals, &kept_secret).await, None);
    }
}

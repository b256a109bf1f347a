//! Roles, leaving, and the rule that a tenant always has an owner.

use nyxcore_projects::{NewNote, NewProject, Notes, Projects, note_create, project_create};
use nyxcore_tenancy::directory::{
    NewApiToken, TOPIC_CREDENTIAL, api_token_create, api_token_revoke, tenant_current,
    tenant_rename, token_authenticate, users_by_id,
};
use nyxcore_tenancy::people::{
    invitation_accept, member_leave, member_remove, member_role_set, ownership_transfer,
};
use nyxcore_tenancy::{
    Acting, ApiTokenId, Caller, Credential, Origin, Repository, Role, Signal, Store, Tenant, UserId,
};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::{acting, member, role_of};
use crate::support::{second_store, store, store_at_rest, tenant};

const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Member, Role::Viewer];

/// Revokes a token of `owner` with that role, as the caller.
async fn revoke(
    store: &Store,
    tenant: &Tenant,
    owner: UserId,
    role: Role,
    caller: &Acting,
) -> Result<(), &'static str> {
    let scoped = store.write(tenant.id).await.unwrap();
    let new = NewApiToken {
        user: owner,
        name: "test".into(),
        role,
        expires_at: None,
    };
    let (token, _) = api_token_create(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    let scoped = store.write_as(caller).await.unwrap();
    let revoked = api_token_revoke(&scoped, token.id).await;
    revoked.map(drop).map_err(|error| error.code())
}

on_both_databases! {
    async fn nobody_revokes_a_token_of_somebody_above_them(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let mut people = Vec::new();
        for role in ROLES {
            people.push((role, member(&store, &acme, &format!("m-{}", role.as_str().to_lowercase()), role).await));
        }
        for (by, caller) in &people {
            for (of, owner) in people.iter().filter(|(_, owner)| owner != caller) {
                let acting = acting(&store, acme.id, *caller, *by);
                let expected = if by.includes(Role::Admin) && by.includes(*of) { Ok(()) } else { Err("FORBIDDEN") };
                assert_eq!(revoke(&store, &acme, *owner, Role::Viewer, &acting).await, expected, "{by:?} revokes a token of {of:?}");
            }
        }
    }

    async fn a_token_revokes_none_that_may_do_more(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        for (as_role, role, expected) in [
            (Role::Member, Role::Member, Ok(())),
            (Role::Member, Role::Viewer, Ok(())),
            (Role::Member, Role::Admin, Err("FORBIDDEN")),
            (Role::Admin, Role::Owner, Err("FORBIDDEN")),
            (Role::Owner, Role::Owner, Ok(())),
            (Role::Viewer, Role::Viewer, Err("FORBIDDEN")),
        ] {
            let acting = acting(&store, acme.id, ada.id, as_role);
            assert_eq!(revoke(&store, &acme, ada.id, role, &acting).await, expected, "{as_role:?} revokes {role:?}");
        }
    }

    async fn a_demoted_member_revokes_an_own_token(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let bob = member(&store, &acme, "bob", Role::Admin).await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewApiToken { user: bob, name: "test".into(), role: Role::Admin, expires_at: None };
        let (token, _) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        role_set(&store, &acme, bob, Role::Member).await;
        let scoped = store.write_as(&acting(&store, acme.id, bob, Role::Member)).await.unwrap();
        api_token_revoke(&scoped, token.id).await.unwrap();
    }

    async fn a_token_neither_leaves_nor_joins_a_tenant(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        member(&store, &acme, "bob", Role::Owner).await;
        let (_, secret) = super::invite(&store, &other, &ada.email, Role::Admin).await;
        for role in ROLES {
            let caller = Caller { tenant: acme.id, user: ada.id, role, credential: Credential::Token(ApiTokenId(store.env().id())) };
            let scoped = store.write_as(&Acting::new(caller, Origin::default())).await.unwrap();
            assert_eq!(member_leave(&scoped).await.unwrap_err().code(), "FORBIDDEN", "{role:?}");
            let refused = invitation_accept(&store, &secret, (ada.id, caller.credential), &Origin::default()).await.unwrap_err();
            assert_eq!(refused.code(), "FORBIDDEN", "{role:?}");
        }
        assert_eq!((role_of(&store, &acme, ada.id).await, role_of(&store, &other, ada.id).await), (Some(Role::Owner), None));
        // The invitation is still valid.
        assert_eq!(super::accept(&store, &secret, ada.id).await.unwrap(), Role::Admin);
    }

    async fn role_changes_are_bounded_by_the_callers_role(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let mut callers = Vec::new();
        for role in ROLES {
            callers.push((role, member(&store, &acme, &format!("by-{}", role.as_str().to_lowercase()), role).await));
        }
        let subject = member(&store, &acme, "subject", Role::Viewer).await;
        for (by, caller) in callers {
            for from in ROLES {
                for to in ROLES {
                    role_set(&store, &acme, subject, from).await;
                    let scoped = store.write_as(&acting(&store, acme.id, caller, by)).await.unwrap();
                    let set = member_role_set(&scoped, subject, to).await;
                    let allowed = by.includes(Role::Admin) && by.includes(from) && by.includes(to);
                    match set {
                        Ok(membership) => assert!(allowed && membership.role == to, "{by:?}: {from:?} -> {to:?}"),
                        Err(error) => assert!(!allowed && error.code() == "FORBIDDEN", "{by:?}: {from:?} -> {to:?}: {error}"),
                    }
                    scoped.commit().await.unwrap();
                    assert_eq!(role_of(&store, &acme, subject).await, Some(if allowed { to } else { from }));
                }
                role_set(&store, &acme, subject, from).await;
                let scoped = store.write_as(&acting(&store, acme.id, caller, by)).await.unwrap();
                let removed = member_remove(&scoped, subject).await;
                assert_eq!(removed.is_ok(), by.includes(Role::Admin) && by.includes(from), "{by:?} removes {from:?}");
            }
        }
    }

    async fn the_only_owner_is_not_demoted_and_does_not_go(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let admin = member(&store, &acme, "bob", Role::Admin).await;
        let as_ada = acting(&store, acme.id, ada.id, Role::Owner);
        let codes = async |as_ada: &nyxcore_tenancy::Acting| {
            let mut codes = Vec::new();
            for step in 0..3 {
                let scoped = store.write_as(&as_ada.fresh()).await.unwrap();
                let done = match step {
                    0 => member_role_set(&scoped, ada.id, Role::Admin).await.map(drop),
                    1 => member_remove(&scoped, ada.id).await,
                    _ => member_leave(&scoped).await,
                };
                codes.push(done.map_or_else(|error| error.code(), |()| "OK"));
            }
            codes
        };
        assert_eq!(codes(&as_ada).await, ["LAST_OWNER"; 3]);
        // The program itself and an operator are refused too.
        let scoped = store.write_as_operator(acme.id).await.unwrap();
        assert_eq!(member_remove(&scoped, ada.id).await.unwrap_err().code(), "LAST_OWNER");
        drop(scoped);
        // Keeping the role changes nothing. With another owner each of the changes succeeds.
        let scoped = store.write_as(&as_ada.fresh()).await.unwrap();
        assert_eq!(member_role_set(&scoped, ada.id, Role::Owner).await.unwrap().role, Role::Owner);
        drop(scoped);
        role_set(&store, &acme, admin, Role::Owner).await;
        assert_eq!(codes(&as_ada).await, ["OK"; 3]);
    }

    async fn two_owners_demoting_each_other_leave_one_owner(db: TestDatabase) {
        let (one, clock) = store_at_rest(&db).await;
        let two = second_store(&db, &clock).await;
        let (acme, ada) = tenant(&one, "acme").await;
        let bob = member(&one, &acme, "bob", Role::Owner).await;
        for round in 0..12 {
            role_set(&one, &acme, ada.id, Role::Owner).await;
            role_set(&one, &acme, bob, Role::Owner).await;
            let unmake = |store: &Store, by: UserId, whom: UserId| {
                let (store, acting) = (store.clone(), acting(store, acme.id, by, Role::Owner));
                async move {
                    let scoped = store.write_as(&acting).await?;
                    match round % 3 {
                        0 => member_role_set(&scoped, whom, Role::Viewer).await.map(|_| ())?,
                        1 => member_role_set(&scoped, by, Role::Member).await.map(|_| ())?,
                        _ => ownership_transfer(&scoped, whom).await.map(|_| ())?,
                    }
                    scoped.commit().await
                }
            };
            let both = (tokio::spawn(unmake(&one, ada.id, bob)), tokio::spawn(unmake(&two, bob, ada.id)));
            let (first, second) = tokio::join!(both.0, both.1);
            let codes = [first.unwrap(), second.unwrap()].map(|done| done.map_or_else(|error| error.code(), |()| "OK"));
            let owners = [role_of(&one, &acme, ada.id).await, role_of(&one, &acme, bob).await];
            let owners = owners.iter().filter(|role| **role == Some(Role::Owner)).count();
            assert_eq!(owners, 1, "round {round}: {codes:?}");
            let refused: Vec<_> = codes.into_iter().filter(|code| *code != "OK").collect();
            match round % 3 {
                // The transfers run one after the other: either the second one is possible again, or its caller is no
                // longer an owner.
                2 => assert!(refused.is_empty() || refused == ["FORBIDDEN"], "round {round}: {refused:?}"),
                _ => assert_eq!(refused, ["LAST_OWNER"], "round {round}"),
            }
        }
    }

    async fn two_owners_who_leave_at_the_same_moment_leave_one(db: TestDatabase) {
        let (one, clock) = store_at_rest(&db).await;
        let two = second_store(&db, &clock).await;
        let (acme, ada) = tenant(&one, "acme").await;
        let bob = member(&one, &acme, "bob", Role::Owner).await;
        let leave = |store: &Store, who| {
            let (store, acting) = (store.clone(), acting(store, acme.id, who, Role::Owner));
            async move {
                let scoped = store.write_as(&acting).await?;
                member_leave(&scoped).await?;
                scoped.commit().await
            }
        };
        let (first, second) = tokio::join!(tokio::spawn(leave(&one, ada.id)), tokio::spawn(leave(&two, bob)));
        let mut codes = [first.unwrap(), second.unwrap()].map(|done| done.map_or_else(|error| error.code(), |()| "OK"));
        codes.sort_unstable();
        assert_eq!(codes, ["LAST_OWNER", "OK"]);
    }

    async fn who_lost_the_role_meanwhile_does_not_use_it(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let bob = member(&store, &acme, "bob", Role::Owner).await;
        let carol = member(&store, &acme, "carol", Role::Admin).await;
        // The request was admitted while Bob was an owner.
        let as_bob = acting(&store, acme.id, bob, Role::Owner);
        role_set(&store, &acme, bob, Role::Member).await;
        let scoped = store.write_as(&as_bob.fresh()).await.unwrap();
        assert_eq!(member_role_set(&scoped, bob, Role::Owner).await.unwrap_err().code(), "FORBIDDEN");
        assert_eq!(member_remove(&scoped, carol).await.unwrap_err().code(), "FORBIDDEN");
        assert_eq!(ownership_transfer(&scoped, carol).await.unwrap_err().code(), "FORBIDDEN");
        drop(scoped);
        let scoped = store.write(acme.id).await.unwrap();
        member_remove(&scoped, bob).await.unwrap();
        scoped.commit().await.unwrap();
        let scoped = store.write_as(&as_bob.fresh()).await.unwrap();
        assert_eq!(member_role_set(&scoped, carol, Role::Viewer).await.unwrap_err().code(), "FORBIDDEN");
        assert_eq!(member_leave(&scoped).await.unwrap_err().code(), "NOT_FOUND");
    }

    async fn an_owner_hands_the_tenant_on(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let bob = member(&store, &acme, "bob", Role::Viewer).await;
        let (_, mallory) = tenant(&store, "other").await;
        for role in [Role::Admin, Role::Member, Role::Viewer] {
            let scoped = store.write_as(&acting(&store, acme.id, bob, role)).await.unwrap();
            assert_eq!(ownership_transfer(&scoped, ada.id).await.unwrap_err().code(), "FORBIDDEN");
        }
        let as_ada = acting(&store, acme.id, ada.id, Role::Owner);
        for (to, code) in [(mallory.id, "NOT_FOUND"), (ada.id, "INVALID_INPUT")] {
            let scoped = store.write_as(&as_ada.fresh()).await.unwrap();
            assert_eq!(ownership_transfer(&scoped, to).await.unwrap_err().code(), code);
        }
        let scoped = store.write_as(&as_ada.fresh()).await.unwrap();
        assert_eq!(ownership_transfer(&scoped, bob).await.unwrap().role, Role::Owner);
        scoped.commit().await.unwrap();
        assert_eq!(role_of(&store, &acme, bob).await, Some(Role::Owner));
        assert_eq!(role_of(&store, &acme, ada.id).await, Some(Role::Admin));
    }

    async fn whoever_goes_loses_the_tokens_and_what_they_made_stays(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let bob = member(&store, &acme, "bob", Role::Admin).await;
        let carol = member(&store, &acme, "carol", Role::Viewer).await;
        let mut tokens = Vec::new();
        for user in [ada.id, bob, carol] {
            let scoped = store.write(acme.id).await.unwrap();
            let new = NewApiToken { user, name: "x".into(), role: Role::Viewer, expires_at: None };
            tokens.push(api_token_create(&scoped, new).await.unwrap().1);
            scoped.commit().await.unwrap();
        }
        let as_bob = acting(&store, acme.id, bob, Role::Admin);
        let scoped = store.write_as(&as_bob).await.unwrap();
        let new = NewProject { name: "Atlas".into(), created_by: Some(bob), ..NewProject::default() };
        let project = project_create(&scoped, new).await.unwrap();
        let new = NewNote { project_id: project.id, title: "Leases".into(), body: String::new(), created_by: Some(bob) };
        let note = note_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write_as(&acting(&store, acme.id, ada.id, Role::Owner)).await.unwrap();
        member_remove(&scoped, bob).await.unwrap();
        scoped.commit().await.unwrap();
        // A viewer may change nothing, but may leave.
        let scoped = store.write_as(&acting(&store, acme.id, carol, Role::Viewer)).await.unwrap();
        member_leave(&scoped).await.unwrap();
        scoped.commit().await.unwrap();

        let mut known = Vec::new();
        for token in &tokens {
            known.push(token_authenticate(&store, token).await.unwrap().is_some());
        }
        assert_eq!(known, [true, false, false]);
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(Projects::require(&scoped, project.id).await.unwrap().created_by, Some(bob));
        assert_eq!(Notes::require(&scoped, note.id).await.unwrap().created_by, Some(bob));
        assert_eq!(users_by_id(&scoped, &[ada.id, bob, carol]).await.unwrap().len(), 1);
    }

    async fn a_role_counts_at_once_for_tokens_and_for_streams(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let bob = member(&store, &acme, "bob", Role::Admin).await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewApiToken { user: bob, name: "x".into(), role: Role::Admin, expires_at: None };
        let (_, token) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();

        let mut heard = store.signals();
        let as_ada = acting(&store, acme.id, ada.id, Role::Owner);
        let scoped = store.write_as(&as_ada).await.unwrap();
        member_role_set(&scoped, bob, Role::Viewer).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(token_authenticate(&store, &token).await.unwrap().unwrap().role, Role::Viewer);
        let scoped = store.write_as(&as_ada.fresh()).await.unwrap();
        ownership_transfer(&scoped, bob).await.unwrap();
        scoped.commit().await.unwrap();
        let scoped = store.write_as(&acting(&store, acme.id, ada.id, Role::Admin)).await.unwrap();
        member_leave(&scoped).await.unwrap();
        scoped.commit().await.unwrap();
        for about in [bob, bob, ada.id, ada.id] {
            let Signal::Changed { topic, subject, .. } = heard.recv().await else {
                panic!("a signal with content");
            };
            assert_eq!((topic.as_str(), subject), (TOPIC_CREDENTIAL, about.0));
        }
    }

    async fn members_are_found_by_the_ids_that_are_asked_for(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let bob = member(&store, &acme, "bob", Role::Viewer).await;
        let (_, mallory) = tenant(&store, "other").await;
        let scoped = store.read(acme.id).await.unwrap();
        let many: Vec<UserId> = (0..40_000).map(|n| UserId(uuid::Uuid::from_u128(n))).chain([bob, mallory.id]).collect();
        let found = users_by_id(&scoped, &many).await.unwrap();
        assert_eq!(found.iter().map(|user| (user.id, user.email.as_str())).collect::<Vec<_>>(), [(bob, "bob@example.org")]);
        assert!(users_by_id(&scoped, &[]).await.unwrap().is_empty());
        assert_eq!(users_by_id(&scoped, &[ada.id, ada.id]).await.unwrap().len(), 1);
    }

    async fn a_tenant_is_renamed_by_its_admins(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write_as(&acting(&store, acme.id, ada.id, Role::Admin)).await.unwrap();
        assert_eq!(tenant_rename(&scoped, "  Acme Ltd ").await.unwrap().name, "Acme Ltd");
        for name in ["", " ", "a\nb", &"a".repeat(201)] {
            assert_eq!(tenant_rename(&scoped, name).await.unwrap_err().code(), "INVALID_INPUT");
        }
        scoped.commit().await.unwrap();
        let scoped = store.write_as(&acting(&store, acme.id, ada.id, Role::Member)).await.unwrap();
        assert_eq!(tenant_rename(&scoped, "x").await.unwrap_err().code(), "FORBIDDEN");
        drop(scoped);
        let names = [tenant_of(&store, &acme).await, tenant_of(&store, &other).await];
        assert_eq!(names, ["Acme Ltd", "other"]);
    }
}

async fn tenant_of(store: &Store, tenant: &Tenant) -> String {
    let scoped = store.read(tenant.id).await.unwrap();
    tenant_current(&scoped).await.unwrap().name
}

/// Sets a role as the program itself.
async fn role_set(store: &Store, tenant: &Tenant, user: UserId, role: Role) {
    let scoped = store.write(tenant.id).await.unwrap();
    member_role_set(&scoped, user, role).await.unwrap();
    scoped.commit().await.unwrap();
}

//! Invitations are valid once, for a week and for one address. All invalid attempts get the same response.

use chrono::TimeDelta;
use nyxcore_tenancy::audit::{AuditActor, AuditFilter, audit_list, system_entry_list};
use nyxcore_tenancy::people::{
    Invitations, NewInvitation, invitation_count, invitation_create, invitation_list,
    invitation_look, invitation_revoke, member_remove, member_role_set,
};
use nyxcore_tenancy::{Error, PageRequest, Repository, Role, Store, directory};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::{accept, acting, invite, member, person, role_of};
use crate::support::{second_store, store, store_at_rest, tenant};

on_both_databases! {
    async fn an_invitation_makes_its_addressee_a_member_once(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let bob = person(&store, "bob").await;
        let scoped = store.write_as(&acting(&store, acme.id, ada.id, Role::Owner)).await.unwrap();
        let new = NewInvitation { email: " Bob@Example.org ".into(), role: Role::Member };
        let (invitation, secret) = invitation_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(secret.starts_with("nyxinv_"));
        assert_eq!((invitation.email.as_str(), invitation.invited_by), ("bob@example.org", Some(ada.id)));
        assert_eq!(invitation.expires_at - invitation.created_at, TimeDelta::days(7));

        let seen = invitation_look(&store, &secret).await.unwrap();
        assert_eq!((seen.tenant_name.as_str(), seen.email.as_str(), seen.role), ("acme", "bob@example.org", Role::Member));
        assert_eq!(seen.inviter, Some(ada.name.clone()));

        assert_eq!(accept(&store, &secret, bob).await.unwrap(), Role::Member);
        assert_eq!(role_of(&store, &acme, bob).await, Some(Role::Member));
        assert_eq!(accept(&store, &secret, bob).await.unwrap_err().code(), "INVITATION_INVALID");
        assert_eq!(invitation_look(&store, &secret).await.unwrap_err().code(), "INVITATION_INVALID");

        // Both the invitation and its acceptance are in the tenant's own log.
        let scoped = store.read(acme.id).await.unwrap();
        let used = Invitations::require(&scoped, invitation.id).await.unwrap();
        assert_eq!((used.accepted_by, used.accepted_at), (Some(bob), Some(store.env().now())));
        let log = audit_list(&scoped, &AuditFilter::default(), &PageRequest::first(10)).await.unwrap().into_items();
        let told: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.actor, entry.user_id, entry.subject_id)).collect();
        assert_eq!(told, [
            ("member.create", AuditActor::System, Some(bob), Some(bob.0)),
            ("invitation.create", AuditActor::User, Some(ada.id), Some(invitation.id.0)),
            ("tenant.create", AuditActor::System, Some(ada.id), Some(acme.id.0)),
        ]);
    }

    async fn whatever_is_wrong_with_an_invitation_the_answer_is_the_same(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let bob = person(&store, "bob").await;
        let mallory = person(&store, "mallory").await;
        let refused = async |secret: &str, who| {
            let error = accept(&store, secret, who).await.unwrap_err();
            (error.code(), error.to_string())
        };

        let (_, replaced) = invite(&store, &acme, "bob@example.org", Role::Admin).await;
        let (revoked_one, revoked) = invite(&store, &acme, "bob@example.org", Role::Admin).await;
        let scoped = store.write(acme.id).await.unwrap();
        assert!(invitation_revoke(&scoped, revoked_one.id).await.unwrap().revoked_at.is_some());
        scoped.commit().await.unwrap();
        let (_, good) = invite(&store, &acme, "bob@example.org", Role::Member).await;
        // Another invitation's secret with the id of this one: valid in form, with a new checksum.
        let id = good.rsplit_once('_').unwrap().0;
        let stranger = format!("{id}_{}", replaced.rsplit_once('_').unwrap().1);
        let digit = if good.ends_with('0') { "1" } else { "0" };
        let mistyped = format!("{}{digit}", &good[..good.len() - 1]);
        let scoped = store.write(acme.id).await.unwrap();
        let new = directory::NewApiToken { user: ada.id, name: "x".into(), role: Role::Owner, expires_at: None };
        let (_, token) = directory::api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();

        let first = refused("", bob).await;
        assert_eq!(first.0, "INVITATION_INVALID");
        let long = "nyxinv_".repeat(10_000);
        for secret in [&replaced, &revoked, &stranger, &checksummed(id), &mistyped, &token, "nyxinv", "nyxinv_é", &long] {
            assert_eq!(refused(secret, bob).await, first, "{secret:.80}");
            let looked = invitation_look(&store, secret).await.unwrap_err();
            assert_eq!((looked.code(), looked.to_string()), first, "{secret:.80}");
        }
        // Valid, but for another person.
        assert_eq!(refused(&good, mallory).await, first);
        // Valid until the end of the week, and not after it.
        clock.advance(TimeDelta::days(7) - TimeDelta::microseconds(1));
        assert!(invitation_look(&store, &good).await.is_ok());
        clock.advance(TimeDelta::microseconds(1));
        assert_eq!(refused(&good, bob).await, first);
        assert_eq!(invitation_look(&store, &good).await.unwrap_err().to_string(), first.1);

        assert_eq!(role_of(&store, &acme, bob).await, None);
        assert_eq!(role_of(&store, &acme, mallory).await, None);
        // Texts in the form of an invitation's secret are recorded as refused, without the secret.
        let entries = system_entry_list(&store, "2026-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        let refusals: Vec<_> = entries.iter().filter(|entry| entry.outcome == "INVITATION_INVALID").collect();
        assert_eq!(refusals.len(), 5, "{refusals:#?}");
        for entry in refusals {
            assert_eq!(entry.purpose, "invitation_accept");
            let line = entry.json_line();
            assert!([&replaced, &revoked, &good].iter().all(|secret| !line.contains(secret.rsplit_once('_').unwrap().1)));
        }
    }

    async fn of_many_who_accept_at_once_one_becomes_a_member(db: TestDatabase) {
        let (one, clock) = store_at_rest(&db).await;
        let two = second_store(&db, &clock).await;
        let (acme, _) = tenant(&one, "acme").await;
        let bob = person(&one, "bob").await;
        let (_, secret) = invite(&one, &acme, "bob@example.org", Role::Member).await;
        let tries = (0..8).map(|n| {
            let (store, secret) = (if n % 2 == 0 { one.clone() } else { two.clone() }, secret.clone());
            tokio::spawn(async move { accept(&store, &secret, bob).await })
        });
        let mut codes = Vec::new();
        for answer in futures::future::join_all(tries).await {
            codes.push(answer.unwrap().map_or_else(|error| error.code(), Role::as_str));
        }
        codes.sort_unstable();
        assert_eq!(codes, [vec!["INVITATION_INVALID"; 7], vec!["MEMBER"]].concat());
        let scoped = one.read(acme.id).await.unwrap();
        assert_eq!(directory::membership_count(&scoped).await.unwrap(), 2);
        let filter = AuditFilter { action: Some("member.create".into()), ..AuditFilter::default() };
        assert_eq!(audit_list(&scoped, &filter, &PageRequest::first(10)).await.unwrap().items.len(), 1);
    }

    async fn who_belongs_to_the_tenant_already_keeps_their_role(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        for (name, has, offered) in [("bob", "VIEWER", Role::Admin), ("carol", "ADMIN", Role::Viewer)] {
            let user = person(&store, name).await;
            let (_, secret) = invite(&store, &acme, &format!("{name}@example.org"), offered).await;
            // The person has joined in another way meanwhile.
            let scoped = store.write(acme.id).await.unwrap();
            let sql = "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
            scoped.sql_execute(sql, [user.into(), has.into(), store.env().now().into()]).await.unwrap();
            scoped.commit().await.unwrap();
            assert_eq!(accept(&store, &secret, user).await.unwrap().as_str(), has);
            assert_eq!(role_of(&store, &acme, user).await.map(Role::as_str), Some(has));
        }
    }

    async fn only_admins_invite_and_never_above_their_role(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let roles = [Role::Owner, Role::Admin, Role::Member, Role::Viewer];
        for (number, by) in roles.into_iter().enumerate() {
            for offered in roles {
                let scoped = store.write_as(&acting(&store, acme.id, ada.id, by)).await.unwrap();
                let new = NewInvitation { email: format!("{number}-{}@example.org", offered.as_str()), role: offered };
                let made = invitation_create(&scoped, new).await;
                let allowed = by.includes(Role::Admin) && by.includes(offered);
                match made {
                    Ok((made, _)) => assert!(allowed, "{by:?} {offered:?} {made:?}"),
                    Err(error) => assert!(!allowed && error.code() == "FORBIDDEN", "{by:?} {offered:?} {error}"),
                }
            }
            let scoped = store.read_as(&acting(&store, acme.id, ada.id, by)).await.unwrap();
            assert_eq!(invitation_list(&scoped, &PageRequest::first(1)).await.is_ok(), by.includes(Role::Admin));
            assert_eq!(invitation_count(&scoped).await.is_ok(), by.includes(Role::Admin));
        }
    }

    async fn an_invitation_above_ones_role_is_not_taken_back(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (offered, _) = invite(&store, &acme, "bob@example.org", Role::Owner).await;
        let admin = acting(&store, acme.id, ada.id, Role::Admin);
        let scoped = store.write_as(&admin).await.unwrap();
        assert_eq!(invitation_revoke(&scoped, offered.id).await.unwrap_err().code(), "FORBIDDEN");
        // Nor by another invitation for the same address.
        let new = NewInvitation { email: "bob@example.org".into(), role: Role::Viewer };
        assert_eq!(invitation_create(&scoped, new).await.unwrap_err().code(), "FORBIDDEN");
        drop(scoped);
        let owner = acting(&store, acme.id, ada.id, Role::Owner);
        let scoped = store.write_as(&owner).await.unwrap();
        assert!(invitation_revoke(&scoped, offered.id).await.unwrap().revoked_at.is_some());
    }

    async fn an_address_has_one_open_invitation_and_a_member_needs_none(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (first, _) = invite(&store, &acme, "bob@example.org", Role::Viewer).await;
        let (second, _) = invite(&store, &acme, "BOB@example.org", Role::Member).await;
        let scoped = store.read(acme.id).await.unwrap();
        let listed = invitation_list(&scoped, &PageRequest::first(10)).await.unwrap().into_items();
        let open: Vec<_> = listed.iter().map(|i| (i.id, i.revoked_at.is_none())).collect();
        assert_eq!(open, [(second.id, true), (first.id, false)]);
        drop(scoped);
        for (email, code) in [
            (ada.email.to_uppercase(), "CONFLICT"),
            ("nobody".into(), "INVALID_INPUT"),
            ("a b@example.org".into(), "INVALID_INPUT"),
            ("a\n@example.org".into(), "INVALID_INPUT"),
            (format!("{}@example.org", "a".repeat(300)), "INVALID_INPUT"),
        ] {
            let scoped = store.write(acme.id).await.unwrap();
            let new = NewInvitation { email, role: Role::Viewer };
            assert_eq!(invitation_create(&scoped, new).await.unwrap_err().code(), code);
        }
    }

    async fn another_tenants_invitation_is_not_there(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, mallory) = tenant(&store, "other").await;
        let (invitation, secret) = invite(&store, &acme, "bob@example.org", Role::Member).await;
        let scoped = store.write_as(&acting(&store, other.id, mallory.id, Role::Owner)).await.unwrap();
        assert_eq!(invitation_revoke(&scoped, invitation.id).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(invitation_count(&scoped).await.unwrap(), 0);
        scoped.commit().await.unwrap();
        assert!(invitation_look(&store, &secret).await.is_ok());
    }

    async fn an_accepted_invitation_is_not_revoked_but_says_so(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let bob = person(&store, "bob").await;
        let (invitation, secret) = invite(&store, &acme, "bob@example.org", Role::Member).await;
        accept(&store, &secret, bob).await.unwrap();
        let scoped = store.write(acme.id).await.unwrap();
        let refused = invitation_revoke(&scoped, invitation.id).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    }

    async fn what_a_member_could_not_offer_any_more_is_taken_back(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let carol = member(&store, &acme, "carol", Role::Owner).await;
        let as_carol = acting(&store, acme.id, carol, Role::Owner);
        let offer = async |email: &str, role| {
            let scoped = store.write_as(&as_carol.fresh()).await.unwrap();
            let new = NewInvitation { email: email.into(), role };
            let (_, secret) = invitation_create(&scoped, new).await.unwrap();
            scoped.commit().await.unwrap();
            secret
        };
        let (owner, viewer) = (offer("o@example.org", Role::Owner).await, offer("v@example.org", Role::Viewer).await);
        let (_, operators) = invite(&store, &acme, "x@example.org", Role::Owner).await;

        let scoped = store.write(acme.id).await.unwrap();
        member_role_set(&scoped, carol, Role::Admin).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(open(&store, [&owner, &viewer, &operators]).await, [false, true, true]);

        let scoped = store.write(acme.id).await.unwrap();
        member_remove(&scoped, carol).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(open(&store, [&owner, &viewer, &operators]).await, [false, false, true]);
    }
}

async fn open(store: &Store, secrets: [&String; 3]) -> [bool; 3] {
    let mut open = [false; 3];
    for (open, secret) in open.iter_mut().zip(secrets) {
        *open = invitation_look(store, secret).await.is_ok();
    }
    open
}

/// A secret for that id with a valid checksum, which anybody can compute.
fn checksummed(id: &str) -> String {
    use sha2::{Digest, Sha256};
    let head = format!("{id}_{}", "0".repeat(48));
    let sum: String = Sha256::digest(head.as_bytes())
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{head}{sum}")
}

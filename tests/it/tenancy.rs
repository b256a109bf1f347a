//! The scoped store and the directory: a tenant's rows are isolated on both databases, and by row-level security on
//! PostgreSQL.

use chrono::TimeDelta;
use nyxcore_tenancy::directory::{
    ApiTokens, NewApiToken, api_token_create, api_token_revoke, credential_uses_flush,
    membership_count, membership_list, tenant_by_slug, tenant_create, tenant_current,
    token_authenticate, user_memberships, users_by_id,
};
use nyxcore_tenancy::{
    ApiTokenId, Error, PageRequest, Repository, Role, Store, StoreOptions, UserId,
};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};

use crate::support::{second_store, store, store_at_rest, tenant};

on_both_databases! {
    async fn a_token_speaks_for_its_owner_until_it_is_revoked(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let (token, secret) = api_token_create(&scoped, token_for(ada.id, Role::Member)).await.unwrap();
        scoped.commit().await.unwrap();

        let caller = token_authenticate(&store, &secret).await.unwrap().unwrap();
        assert_eq!((caller.tenant, caller.user, caller.role), (acme.id, ada.id, Role::Member));

        let scoped = store.write(acme.id).await.unwrap();
        api_token_revoke(&scoped, token.id).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(token_authenticate(&store, &secret).await.unwrap(), None);
    }

    async fn a_token_is_refused_from_its_expiry_on(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let expires_at = Some(store.env().now() + TimeDelta::hours(1));
        let new = NewApiToken { expires_at, ..token_for(ada.id, Role::Owner) };
        let (_, secret) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
        clock.advance(TimeDelta::hours(1));
        assert_eq!(token_authenticate(&store, &secret).await.unwrap(), None);
    }

    async fn a_token_in_steady_use_is_written_once_a_minute(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let (token, secret) = api_token_create(&scoped, token_for(ada.id, Role::Owner)).await.unwrap();
        scoped.commit().await.unwrap();
        let first = store.env().now();
        token_authenticate(&store, &secret).await.unwrap();
        clock.advance(TimeDelta::seconds(59));
        token_authenticate(&store, &secret).await.unwrap();
        credential_uses_flush(&store).await.unwrap();
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(ApiTokens::require(&scoped, token.id).await.unwrap().last_used_at, Some(first));
        drop(scoped);
        clock.advance(TimeDelta::seconds(1));
        token_authenticate(&store, &secret).await.unwrap();
        credential_uses_flush(&store).await.unwrap();
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(ApiTokens::require(&scoped, token.id).await.unwrap().last_used_at, Some(store.env().now()));
    }

    async fn a_token_for_another_tenants_user_is_not_made(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (_, mallory) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        let refused = api_token_create(&scoped, token_for(mallory.id, Role::Viewer)).await;
        assert!(matches!(refused, Err(Error::NotFound("user"))));
    }

    async fn a_slug_is_given_once(db: TestDatabase) {
        let store = store(&db).await;
        tenant(&store, "acme").await;
        let again = tenant_create(&store, "acme", "Acme", "somebody@else.example").await;
        assert_eq!(again.unwrap_err().code(), "CONFLICT");
        // The refused call left no user and no membership behind.
        let one = tenant_create(&store, "fresh", "Fresh", "somebody@else.example").await.unwrap();
        assert_eq!(user_memberships(&store, one.1.id).await.unwrap().len(), 1);
    }

    async fn one_person_may_belong_to_several_tenants(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = tenant_create(&store, "b-team", "B", "ada@example.org").await.unwrap();
        let (_, same) = tenant_create(&store, "a-team", "A", " Ada@Example.org ").await.unwrap();
        assert_eq!(ada.id, same.id);
        let slugs: Vec<String> = user_memberships(&store, ada.id).await.unwrap().into_iter().map(|(t, _)| t.slug).collect();
        assert_eq!(slugs, ["a-team", "b-team"]);
        assert_eq!(tenant_by_slug(&store, "a-team").await.unwrap().unwrap().name, "A");
    }

    async fn a_tenant_sees_its_own_members_and_no_others(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (_, mallory) = tenant(&store, "other").await;
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(tenant_current(&scoped).await.unwrap().slug, "acme");
        assert_eq!(membership_count(&scoped).await.unwrap(), 1);
        let members = membership_list(&scoped, &PageRequest::first(10)).await.unwrap().into_items();
        assert_eq!(members[0].user_id, ada.id);
        let users = users_by_id(&scoped, &[ada.id, mallory.id]).await.unwrap();
        assert_eq!(users.iter().map(|u| u.id).collect::<Vec<_>>(), [ada.id]);
    }

    async fn another_tenants_rows_are_inaccessible_by_id(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        let (token, _) = api_token_create(&scoped, token_for(ada.id, Role::Member)).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write(other.id).await.unwrap();
        assert_eq!(ApiTokens::get(&scoped, token.id).await.unwrap(), None);
        assert!(ApiTokens::get_many(&scoped, &[token.id]).await.unwrap().is_empty());
        assert_eq!(api_token_revoke(&scoped, token.id).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(ApiTokens::delete(&scoped, token.id).await.unwrap_err().code(), "NOT_FOUND");
        scoped.commit().await.unwrap();

        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(ApiTokens::require(&scoped, token.id).await.unwrap().revoked_at, None);
    }

    async fn any_number_of_ids_is_looked_for(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        let (first, _) = api_token_create(&scoped, token_for(ada.id, Role::Member)).await.unwrap();
        let (last, _) = api_token_create(&scoped, token_for(ada.id, Role::Member)).await.unwrap();
        scoped.commit().await.unwrap();
        // More ids than either database can bind in one statement.
        let unknown = (0..70_000).map(|_| ApiTokenId(store.env().id()));
        let ids: Vec<ApiTokenId> = [first.id].into_iter().chain(unknown).chain([last.id]).collect();
        let scoped = store.read(acme.id).await.unwrap();
        let mut found: Vec<ApiTokenId> = ApiTokens::get_many(&scoped, &ids).await.unwrap().into_keys().collect();
        found.sort_unstable();
        assert_eq!(found, [first.id, last.id]);
        let theirs = store.read(other.id).await.unwrap();
        assert!(ApiTokens::get_many(&theirs, &ids).await.unwrap().is_empty());
        assert!(ApiTokens::get_many(&scoped, &[]).await.unwrap().is_empty());
    }

    async fn what_is_not_committed_is_not_kept(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        api_token_create(&scoped, token_for(ada.id, Role::Member)).await.unwrap();
        drop(scoped);
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(ApiTokens::count(&scoped, sea_orm::Condition::all()).await.unwrap(), 0);
    }

    async fn a_statement_by_hand_that_forgets_the_tenant_is_refused(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let refused = scoped.sql_execute("DELETE FROM api_tokens WHERE id = $2", []).await;
        assert_eq!(refused.unwrap_err().code(), "INTERNAL");
    }

    async fn pages_walk_a_list_both_ways_without_gap_or_double(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(api_token_create(&scoped, token_for(ada.id, Role::Member)).await.unwrap().0.id);
        }
        made.reverse();
        let mut forward = Vec::new();
        let mut request = PageRequest::first(2);
        loop {
            let page = ApiTokens::list(&scoped, sea_orm::Condition::all(), &request).await.unwrap();
            let next = page.items.last().map(|(cursor, _)| cursor.clone());
            let more = page.has_next;
            forward.extend(page.into_items().into_iter().map(|t| t.id));
            if !more {
                break;
            }
            request.after = next;
        }
        assert_eq!(forward, made);
        let last = PageRequest { from_end: true, ..PageRequest::first(2) };
        let page = ApiTokens::list(&scoped, sea_orm::Condition::all(), &last).await.unwrap();
        assert!(page.has_previous && !page.has_next);
        let ids: Vec<_> = page.into_items().into_iter().map(|t| t.id).collect();
        assert_eq!(ids, made[3..]);
    }
}

fn token_for(user: UserId, role: Role) -> NewApiToken {
    NewApiToken {
        user,
        name: "for a test".into(),
        role,
        expires_at: None,
    }
}

#[test]
fn a_superuser_is_refused_as_the_serving_role() {
    run_on_postgres(|db| async move {
        let url = db.superuser_url().unwrap();
        let refused =
            Store::connect(&StoreOptions::new(url), nyxcore_tenancy::Env::default()).await;
        assert_eq!(refused.unwrap_err().code(), "DATABASE_ROLE_UNSAFE");
    });
}

#[test]
fn signals_reach_other_replicas_only_after_commit() {
    run_on_postgres(|db| async move {
        let (one, clock) = store_at_rest(&db).await;
        let two = second_store(&db, &clock).await;
        let (acme, _) = tenant(&one, "acme").await;
        let mut heard = two.signals();
        let dropped = one.write(acme.id).await.unwrap();
        dropped.announce("lost", acme.id.0).await.unwrap();
        drop(dropped);
        let kept = one.write(acme.id).await.unwrap();
        kept.announce("kept", acme.id.0).await.unwrap();
        kept.commit().await.unwrap();
        let nyxcore_tenancy::Signal::Changed { topic, tenant, .. } = heard.recv().await else {
            panic!("a signal with content");
        };
        assert_eq!((topic.as_str(), tenant), ("kept", Some(acme.id)));
    });
}

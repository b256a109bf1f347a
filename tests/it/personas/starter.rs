//! The starter set: installed once, also by concurrent calls, and never over existing personas.

use std::collections::HashSet;

use nyxcore_personas::{
    PersonaChanges, Personas, persona_count, persona_create, persona_delete, persona_update,
    starter_personas, starter_personas_install,
};
use nyxcore_tenancy::Repository;
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::described;
use crate::support::{store, store_at_rest, tenant};

on_both_databases! {
    async fn a_second_installation_adds_nothing(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let all: Vec<&str> = starter_personas().iter().map(|one| one.name.as_str()).collect();
        let scoped = store.write(acme.id).await.unwrap();
        let first = starter_personas_install(&scoped, Some(ada.id)).await.unwrap();
        let installed: Vec<&str> = first.installed.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((installed, first.skipped.len()), (all.clone(), 0));
        for persona in &first.installed {
            assert!(persona.auto_specialized && !persona.specializations.is_empty() && !persona.system_prompt.is_empty());
            assert_eq!((persona.created_by, persona.xp), (Some(ada.id), 0));
        }
        scoped.commit().await.unwrap();

        let scoped = store.write(acme.id).await.unwrap();
        let second = starter_personas_install(&scoped, Some(ada.id)).await.unwrap();
        assert_eq!((second.installed.len(), second.skipped), (0, all.iter().map(|&name| name.to_owned()).collect()));
        assert_eq!(persona_count(&scoped, None).await.unwrap(), all.len() as u64);
    }

    async fn what_is_there_is_left_alone(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let own = persona_create(&scoped, described("Technical writer", "Mine.")).await.unwrap();
        let first = starter_personas_install(&scoped, None).await.unwrap();
        assert_eq!(first.skipped, ["Technical writer"]);
        assert_eq!(Personas::require(&scoped, own.id).await.unwrap(), own);

        // A renamed persona is not installed a second time; a deleted one is.
        let (renamed, deleted) = (&first.installed[0], &first.installed[1]);
        let changes = PersonaChanges { name: Some("Freda".into()), ..PersonaChanges::default() };
        persona_update(&scoped, renamed.id, changes).await.unwrap();
        persona_delete(&scoped, deleted.id).await.unwrap();
        let second = starter_personas_install(&scoped, None).await.unwrap();
        let names: Vec<&str> = second.installed.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, [deleted.name.as_str()]);
        assert!(second.skipped.contains(&renamed.name));
    }

    async fn installations_at_once_add_each_persona_once(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let calls = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let scoped = store.write(acme.id).await.unwrap();
                let done = starter_personas_install(&scoped, None).await.unwrap();
                scoped.commit().await.unwrap();
                done.installed.into_iter().map(|one| one.id).collect::<Vec<_>>()
            })
        });
        let mut installed = HashSet::new();
        for call in calls.collect::<Vec<_>>() {
            for id in call.await.unwrap() {
                assert!(installed.insert(id), "{id} was installed twice");
            }
        }
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(installed.len(), starter_personas().len());
        assert_eq!(persona_count(&scoped, None).await.unwrap(), installed.len() as u64);
    }

    async fn each_tenant_has_a_set_of_its_own(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        for slug in ["acme", "other"] {
            let (tenant, _) = tenant(&store, slug).await;
            let scoped = store.write(tenant.id).await.unwrap();
            let done = starter_personas_install(&scoped, None).await.unwrap();
            assert_eq!(done.installed.len(), starter_personas().len());
            scoped.commit().await.unwrap();
        }
    }
}

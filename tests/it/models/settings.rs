//! Endpoints and their secrets, and the notification of other processes about changes.

use std::collections::BTreeMap;

use nyxcore_model_catalog::{
    EndpointProtocol, ModelService, NewEndpoint, endpoint_remove, endpoint_set, provider_key_get,
};
use nyxcore_tenancy::Store;
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::world::{KEY, ModelWorld, PRIVATE, options};
use crate::secrets::leaks::{Needle, leaks};
use crate::support::second_store;

const VALUE: &str = "header-secret-0123456789";

impl ModelWorld {
    async fn endpoint(
        &self,
        url: &str,
        headers: Option<&[(&str, &str)]>,
    ) -> Result<Vec<String>, &'static str> {
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        let headers = headers.map(|all| {
            let all = all
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            all.collect::<BTreeMap<_, _>>()
        });
        let new = NewEndpoint {
            name: "gpu".into(),
            base_url: url.to_owned(),
            protocol: EndpointProtocol::OpenAiChat,
            headers,
        };
        let set = endpoint_set(&scoped, &self.keyring, PRIVATE, new).await;
        let endpoint = set.map_err(|error| {
            assert!(!error.to_string().contains(VALUE), "{error}");
            error.code()
        })?;
        scoped.commit().await.unwrap();
        Ok(endpoint.header_names)
    }
}

on_both_databases! {
    async fn headers_are_sent_and_kept_sealed(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        let url = world.vendor.url("/v1");
        assert_eq!(world.endpoint(&url, Some(&[("x-org", VALUE)])).await.unwrap(), ["x-org"]);
        // Omitted headers stay unchanged.
        assert_eq!(world.endpoint(&url, None).await.unwrap(), ["x-org"]);
        world.ask("big").await.unwrap();
        assert_eq!(world.vendor.requests()[0].header("x-org"), VALUE);
        world.ledger().await;
        let needles = [Needle::new("a header", VALUE), Needle::new("a key", KEY)];
        assert_eq!(leaks(&needles, &rows_of(&db).await), Vec::<String>::new());
    }

    async fn a_moved_endpoint_keeps_no_headers_or_keys(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        world.endpoint(&world.vendor.url("/v1"), Some(&[("x-org", VALUE)])).await.unwrap();
        world.key_set("gpu", None).await;
        assert!(world.endpoint("https://elsewhere.example/v1", None).await.unwrap().is_empty());
        let scoped = world.store.read(world.tenant.id).await.unwrap();
        assert!(provider_key_get(&scoped, &world.keyring, "gpu").await.unwrap().is_none());
    }

    async fn an_endpoint_that_cannot_be_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        for url in ["", "ftp://x.example", "https://u:p@x.example", "https://x.example?k=1"] {
            assert_eq!(world.endpoint(url, None).await, Err("INVALID_INPUT"), "{url}");
        }
        for header in [("Host", VALUE), ("x y", VALUE), ("x", "header-secret-0123456789\nevil: 1")] {
            let refused = world.endpoint("https://x.example", Some(&[header])).await;
            assert_eq!(refused, Err("INVALID_INPUT"), "{}", header.0);
        }
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        for name in ["openai", "Upper", "a b", "", "-a", "a_b"] {
            let new = NewEndpoint {
                name: name.into(), base_url: "https://x.example".into(), protocol: EndpointProtocol::OpenAiChat, headers: None,
            };
            let refused = endpoint_set(&scoped, &world.keyring, PRIVATE, new).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{name}");
        }
    }

    async fn an_endpoint_goes_with_its_models_and_its_key(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        world.key_set("gpu", None).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        endpoint_remove(&scoped, "gpu").await.unwrap();
        assert_eq!(endpoint_remove(&scoped, "gpu").await.unwrap_err().code(), "NOT_FOUND");
        assert!(provider_key_get(&scoped, &world.keyring, "gpu").await.unwrap().is_none());
        scoped.commit().await.unwrap();
        assert_eq!(world.refused("big").await, "MODEL_UNKNOWN");
    }

    async fn another_process_hears_of_a_change_with_its_next_call(db: TestDatabase) {
        let mut world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        world.ask("big").await.unwrap();
        let store: Store = second_store(&db, &world.clock).await;
        let first = std::mem::replace(
            &mut world.service,
            ModelService::start(options(&store, &world.keyring)).unwrap(),
        );
        world.ask("big").await.unwrap();
        let scoped = store.write(world.tenant.id).await.unwrap();
        endpoint_remove(&scoped, "gpu").await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.refused("big").await, "MODEL_UNKNOWN");
        world.service = first;
        assert_eq!(world.refused("big").await, "MODEL_UNKNOWN");
    }
}

/// The raw data of the database: on SQLite the files, on PostgreSQL the rows of the relevant tables.
async fn rows_of(db: &TestDatabase) -> Vec<(String, Vec<u8>)> {
    if db.backend() == DbBackend::Sqlite {
        let files = ["test.sqlite", "test.sqlite-wal"];
        let read = |file: &str| std::fs::read(db.folder().join(file)).unwrap_or_default();
        return files.map(|file| (file.to_owned(), read(file))).into();
    }
    let raw = db.superuser_connection().await.unwrap();
    let mut places = Vec::new();
    for table in [
        "sealed_secrets",
        "model_endpoints",
        "model_calls",
        "provider_states",
        "audit_entries",
    ] {
        let sql = format!("SELECT t::text FROM {table} t");
        let rows = raw
            .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await
            .unwrap();
        let rows = rows
            .iter()
            .map(|row| row.try_get_by_index::<String>(0).unwrap());
        places.push((
            table.to_owned(),
            rows.collect::<Vec<_>>().join("\n").into_bytes(),
        ));
    }
    places
}

//! Templates set by a tenant.

use nyxcore_context::{template_get, template_list, template_reset, template_set};
use nyxcore_note_enrichment::EnrichmentRequest;
use serde_json::json;

use super::vendor::{Lab, answer, told};
use super::*;

const USER: &str = "note_enrichment.user";

on_both_databases! {
    async fn a_template_of_the_tenants_own_is_used(db: TestDatabase) {
        let lab = Lab::new(&db, [answer("It is renewed [1].", json!([]))]).await;
        let (other, _) = tenant(lab.store(), "other").await;
        let scoped = lab.store().write(lab.tenant()).await.unwrap();
        let text = "OWN {{ project.name }}\n{% for item in code %}\n{{ item.number }} {{ item.place }}\n{% endfor %}";
        for version in [1, 2] {
            let set = template_set(&scoped, USER, text, Some(lab.models.owner.id)).await.unwrap();
            let own = set.own.as_ref().unwrap();
            assert_eq!((set.text(), own.version), (text, version));
        }
        scoped.commit().await.unwrap();
        let (done, ..) = lab.enriched().await;
        assert_eq!(done.report.unwrap().templates, ["note_enrichment.system@1", "note_enrichment.user@own-2"]);
        let (_, user) = told(&lab.models.vendor.requests()[0]);
        assert!(user.starts_with("OWN \"home\"\n1 <data-"), "{user}");

        let scoped = lab.store().write(other.id).await.unwrap();
        assert!(template_list(&scoped).await.unwrap().iter().all(|template| template.own.is_none()));
        template_reset(&scoped, USER).await.unwrap();
        scoped.commit().await.unwrap();
        let scoped = lab.store().write(lab.tenant()).await.unwrap();
        assert!(template_get(&scoped, USER).await.unwrap().own.is_some());
        assert!(template_reset(&scoped, USER).await.unwrap().own.is_none());
        scoped.commit().await.unwrap();
        let preview = lab.preview(lab.world.note.id, &EnrichmentRequest::default()).await;
        assert_eq!(preview.templates[1], "note_enrichment.user@1");
    }

    async fn a_template_that_cannot_be_used_is_refused(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let long = "x".repeat(20_001);
        for (name, text, why) in [
            (USER, "fine\n{{ docs }}", "line 2: there is no variable `docs`"),
            (USER, "{% set x = input %}", "line 1: the statement `set` cannot be used"),
            (USER, "{% for item in code %}\n\n{{ item.secret }}{% endfor %}", "line 3"),
            (USER, "{{ input", "line 1"),
            (USER, " ", "characters"),
            (USER, long.as_str(), "20000"),
            ("note_enrichment.extractive", "{{ input }}", "cannot be changed"),
        ] {
            let refused = template_set(&scoped, name, text, None).await.unwrap_err();
            assert!(matches!(&refused, Error::Invalid(told) if told.contains(why)), "{text}: {refused}");
        }
        assert_eq!(template_set(&scoped, "nothing", "x", None).await.unwrap_err().code(), "NOT_FOUND");
        assert!(template_get(&scoped, USER).await.unwrap().own.is_none());
    }
}

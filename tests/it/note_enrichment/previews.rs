//! Previews: without a model, with a small window, and of a very long note.

use nyxcore_context::tokens_bound;
use nyxcore_embeddings::QuestionMeaning;
use nyxcore_note_enrichment::{
    CONTEXT_TOKENS_MAX, EnrichmentChoice, EnrichmentRequest, enrichment_preview,
};
use serde_json::json;

use super::vendor::{Lab, answer, told};
use super::*;

on_both_databases! {
    async fn without_a_model_a_preview_shows_the_excerpts(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let world = world(&store, acme.id).await;
        let scoped = store.read(acme.id).await.unwrap();
        let catalog = TenantCatalog::load(&scoped, HashSet::new()).await.unwrap();
        let any = EnrichmentRequest::default();
        let preview = enrichment_preview(&scoped, &catalog, world.note.id, &any, QuestionMeaning::default()).await.unwrap();
        assert_eq!((preview.choice, preview.system, preview.user), (EnrichmentChoice::Extractive, None, None));
        let items: Vec<(usize, Option<&str>)> = preview.sections.iter().flat_map(|section| &section.items).map(|item| (item.number, item.place.as_deref())).collect();
        assert_eq!(items.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(items[0].1.unwrap().starts_with("src/lease.rs:"), "{items:?}");
        let scoped = store.read(other.id).await.unwrap();
        let refused = enrichment_preview(&scoped, &catalog, world.note.id, &any, QuestionMeaning::default()).await.unwrap_err();
        assert_eq!(refused.code(), "NOT_FOUND");
    }

    async fn a_prompt_fits_into_the_models_window(db: TestDatabase) {
        let lab = Lab::new(&db, [answer("It is renewed [1].", json!([]))]).await;
        let scoped = lab.store().write(lab.tenant()).await.unwrap();
        for number in 0..30 {
            let content = format!("{} leases\n", "租约 lease ".repeat(300));
            let entry = NewMemoryEntry { content, ..memory(lab.world.project, &format!("Leases {number}")) };
            memory_entry_create(&scoped, entry).await.unwrap();
        }
        let body = "Why does the lease expire? 租约到期了。\n".repeat(5_000);
        let long = note(&scoped, lab.world.project, "Leases", &body).await;
        scoped.commit().await.unwrap();
        let any = EnrichmentRequest::default();
        for window in [Some(4_096), Some(32_000), None] {
            lab.model_set(window).await;
            let preview = lab.preview(long.id, &any).await;
            let texts = [preview.system.as_ref(), preview.user.as_ref(), preview.output_schema.as_ref()];
            let tokens: usize = texts.into_iter().map(|text| tokens_bound(text.unwrap())).sum();
            assert_eq!(tokens, preview.tokens);
            let room = window.map_or(usize::MAX, |window| window as usize);
            assert!(tokens <= room && preview.budget <= CONTEXT_TOKENS_MAX, "{window:?}: {tokens}");
            assert!(preview.input_left_out > 100_000, "{window:?}: {}", preview.input_left_out);
            let memory = preview.sections.iter().find(|section| section.section == Section::Memory).unwrap();
            assert!(memory.omitted > 0, "{window:?}: {memory:?}");
            assert!(preview.user.unwrap().contains("more characters of the note do not fit here]"));
        }
        lab.model_set(Some(4_096)).await;
        let run = lab.start(long.id, &any).await;
        let (run, _) = lab.work(run).await;
        assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.error);
        assert!(lab.read(run.id).await.report.unwrap().input_left_out > 100_000);
        drop(told(&lab.models.vendor.requests()[0]));
    }
}

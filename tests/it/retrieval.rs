//! The search index: published documents are found only by their own tenant, with the same results on both databases.
//!
//! Longer than 450 lines: one set of helpers serves publishing and searching.

mod tenants;
mod vectors;

use nyxcore_projects::project_delete;
use nyxcore_retrieval::{
    Citation, Document, Hit, KnowledgeKind, PublishReport, SearchRequest, documents_publish,
    documents_withdraw, documents_withdraw_project, search,
};
use nyxcore_tenancy::{Error, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};

use crate::support::{project, store, tenant};

on_both_databases! {
    async fn an_identifier_is_found_by_the_words_in_it(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![
            code("src/lease.rs", 1, "fn renewLease(worker_id: Uuid) {}"),
            code("src/page.rs", 1, "fn open_page() {}"),
        ]).await;
        for question in ["How is a lease renewed?", "renew_lease", "RENEW", "workerId"] {
            assert_eq!(subjects(&ask(&store, acme, question).await), ["source_1:src/lease.rs"], "{question}");
        }
        assert_eq!(subjects(&ask(&store, acme, "src/lease.rs").await)[0], "source_1:src/lease.rs");
    }

    async fn what_has_more_of_the_terms_comes_first(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![
            document(KnowledgeKind::Note, "one", "worker"),
            document(KnowledgeKind::Note, "all", "the lease of a worker expires"),
            document(KnowledgeKind::Note, "two", "worker lease and other things that are said here"),
        ]).await;
        let hits = ask(&store, acme, "worker lease expires").await;
        // A document with a single common word scores far lower, and is not returned.
        assert_eq!(subjects(&hits), ["all", "two"]);
        assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
    }

    async fn a_new_document_with_a_common_word_is_found_at_once(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let notes = (0..600).map(|n| document(KnowledgeKind::Note, &format!("n{n}"), "a lease"));
        publish(&store, acme, notes.collect()).await;
        // The counts of common words are remembered from here on.
        assert!(!ask(&store, acme, "lease").await.is_empty());
        publish(&store, acme, vec![document(KnowledgeKind::Insight, "new", "a lease")]).await;
        assert!(subjects(&ask(&store, acme, "lease").await).contains(&"new"));
    }

    async fn what_a_person_writes_is_never_query_syntax(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![document(KnowledgeKind::Note, "n", "near or not: a worker's lease")]).await;
        for question in ["worker's AND (", "\"worker", "terms:worker*", "worker & !lease | :*", "NEAR(worker lease)", "worker\\", "worker -- ; DROP"] {
            assert_eq!(subjects(&ask(&store, acme, question).await), ["n"], "{question}");
        }
        for nothing in ["", "?!", "\0", "it's nowhere"] {
            assert_eq!(ask(&store, acme, nothing).await, [], "{nothing}");
        }
    }

    async fn whatever_is_written_is_taken_in_and_found_by_its_words(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let texts = [
            "it's a \"quoted\" back\\slash:1,2 'tick' & | ! <-> ( *",
            "größenÄnderung naïve nai\u{308}ve 日本語 привет ελληνικά",
            "emoji 👩‍👩‍👧 zero\u{200b}width nul\0nul tab\tbell\u{7}",
            "ภาษาไทย हिन्दी עברית",
            "1e5 0x7f 007 3.14 a.b@c.example /usr/lib/x https://example.org/?q=1",
        ];
        let documents = (0..).zip(texts).map(|(n, text)| document(KnowledgeKind::Note, &format!("n{n}"), text)).collect();
        publish(&store, acme, documents).await;
        for (question, subject) in [("back_slash", "n0"), ("tick", "n0"), ("größen", "n1"), ("привет", "n1"), ("日本語", "n1"), ("bell", "n2"), ("nul", "n2"),
            ("ภาษาไทย", "n3"), ("עברית", "n3"), ("1e5", "n4"), ("007", "n4"), ("example.org", "n4")] {
            assert_eq!(subjects(&ask(&store, acme, question).await)[0], subject, "{question}");
        }
        // A single word that exceeds the databases' limits, and a text with very many words.
        let words: String = (0..60_000).map(|n| format!("w{n} ")).collect();
        publish(&store, acme, vec![document(KnowledgeKind::Note, "long", &format!("{} after", "x".repeat(5_000))), document(KnowledgeKind::Note, "many", &words)]).await;
        assert_eq!(subjects(&ask(&store, acme, "after").await), ["long"]);
        assert_eq!(subjects(&ask(&store, acme, "w17").await), ["many"]);
    }

    async fn a_kind_with_many_documents_does_not_drown_the_others(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let mut documents: Vec<Document> = (0..40).map(|n| code(&format!("src/lease_{n}.rs"), 1, "lease lease lease")).collect();
        documents.push(document(KnowledgeKind::Insight, "insight_1", "somewhere in a long text about other matters a lease is mentioned"));
        documents.push(document(KnowledgeKind::CodePattern, "pattern_1", "a lease is renewed"));
        publish(&store, acme, documents).await;
        let hits = ask(&store, acme, "lease").await;
        assert_eq!(hits.len(), 10);
        let kinds: Vec<_> = hits.iter().map(|hit| hit.kind).collect();
        assert!(kinds.contains(&KnowledgeKind::Insight) && kinds[0] == KnowledgeKind::Code, "{kinds:?}");
        assert!(hits.iter().all(|hit| hit.score > 0.0 && hit.score <= 1.0));
    }

    async fn a_search_for_some_kinds_finds_no_others(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, KnowledgeKind::all().iter().map(|&kind| document(kind, kind.as_str(), "lease")).collect()).await;
        assert_eq!(ask(&store, acme, "lease").await.len(), 7);
        let request = SearchRequest { kinds: vec![KnowledgeKind::Note, KnowledgeKind::Insight], ..SearchRequest::new("lease") };
        assert_eq!(subjects(&find(&store, acme, &request).await), ["INSIGHT", "NOTE"]);
    }

    async fn a_subject_is_found_once_by_its_best_chunk(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![
            code("src/run.rs", 1, "use std::time;\n"),
            code("src/run.rs", 2, "// a lease\nfn other() {}\n"),
            code("src/run.rs", 4, "fn renew_lease() { lease.renew() }\n"),
        ]).await;
        let hits = ask(&store, acme, "renew lease").await;
        assert_eq!(subjects(&hits), ["source_1:src/run.rs"]);
        assert_eq!((hits[0].start_line, hits[0].end_line), (Some(4), Some(4)));
        assert_eq!(hits[0].excerpt, "fn renew_lease() { lease.renew() }");
    }

    async fn a_search_in_a_project_finds_its_own_and_the_whole_tenants(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let (one, two) = (project(&store, acme, "one").await, project(&store, acme, "two").await);
        publish(&store, acme, vec![
            Document { project_id: Some(one.0), ..document(KnowledgeKind::Note, "ones", "lease") },
            Document { project_id: Some(two.0), ..document(KnowledgeKind::Note, "twos", "lease") },
            document(KnowledgeKind::Note, "everyones", "lease"),
        ]).await;
        let request = SearchRequest { project_id: Some(one.0), ..SearchRequest::new("lease") };
        assert_eq!(sorted(&find(&store, acme, &request).await), ["everyones", "ones"]);
        assert_eq!(ask(&store, acme, "lease").await.len(), 3);

        let scoped = store.write(acme).await.unwrap();
        project_delete(&scoped, two).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(sorted(&ask(&store, acme, "lease").await), ["everyones", "ones"]);
    }

    async fn knowledge_of_another_stack_is_left_out(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![
            Document { stack: Some("go".into()), ..document(KnowledgeKind::CodePattern, "go", "errors are wrapped") },
            Document { stack: Some("typescript".into()), ..document(KnowledgeKind::CodePattern, "ts", "errors are thrown") },
            document(KnowledgeKind::CodePattern, "any", "errors are logged"),
        ]).await;
        let of = |stacks: &[&str]| SearchRequest {
            stacks: Some(stacks.iter().map(|stack| (*stack).to_owned()).collect()),
            ..SearchRequest::new("errors")
        };
        assert_eq!(sorted(&find(&store, acme, &of(&["typescript", "react"])).await), ["any", "ts"]);
        assert_eq!(sorted(&find(&store, acme, &of(&[])).await), ["any"]);
        assert_eq!(ask(&store, acme, "errors").await.len(), 3);
    }

    async fn what_did_not_change_is_not_written_again(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let before = vec![code("a.rs", 1, "one"), code("b.rs", 1, "two"), code("b.rs", 2, "three")];
        assert_eq!(publish(&store, acme, before.clone()).await, PublishReport { written: 3, unchanged: 0, deleted: 0 });
        assert_eq!(publish(&store, acme, before).await, PublishReport { written: 0, unchanged: 3, deleted: 0 });

        // The chunks of two files may be interleaved, and a file that is not named keeps its documents.
        let after = vec![code("b.rs", 1, "two"), code("c.rs", 1, "four"), code("b.rs", 2, "five")];
        assert_eq!(publish(&store, acme, after).await, PublishReport { written: 2, unchanged: 1, deleted: 0 });
        assert_eq!(ask(&store, acme, "three").await, []);
        assert_eq!(subjects(&ask(&store, acme, "five").await), ["source_1:b.rs"]);
        assert_eq!(subjects(&ask(&store, acme, "one").await), ["source_1:a.rs"]);
    }

    async fn a_chunk_that_is_no_more_is_not_found(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![code("a.rs", 1, "first"), code("a.rs", 2, "second"), code("a.rs", 3, "third")]).await;
        let shorter = publish(&store, acme, vec![code("a.rs", 1, "first")]).await;
        assert_eq!(shorter, PublishReport { written: 0, unchanged: 1, deleted: 2 });
        assert_eq!(ask(&store, acme, "second third").await, []);
    }

    async fn what_was_withdrawn_is_not_found(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let home = project(&store, acme, "home").await;
        let in_home = |mut document: Document| { document.project_id = Some(home.0); document };
        publish(&store, acme, vec![
            in_home(code("a.rs", 1, "lease")),
            in_home(code("a.rs", 2, "lease")),
            in_home(code("b.rs", 1, "lease")),
            in_home(document(KnowledgeKind::Note, "source_1:a.rs", "lease")),
            code("c.rs", 1, "lease"),
        ]).await;
        let scoped = store.write(acme).await.unwrap();
        let gone = ["source_1:a.rs".to_owned(), "source_1:unknown.rs".to_owned()];
        assert_eq!(documents_withdraw(&scoped, KnowledgeKind::Code, &gone).await.unwrap(), 2);
        scoped.commit().await.unwrap();
        assert_eq!(sorted(&ask(&store, acme, "lease").await), ["source_1:a.rs", "source_1:b.rs", "source_1:c.rs"]);

        let scoped = store.write(acme).await.unwrap();
        assert_eq!(documents_withdraw_project(&scoped, KnowledgeKind::Code, home.0).await.unwrap(), 1);
        scoped.commit().await.unwrap();
        let left = ask(&store, acme, "lease").await;
        assert_eq!(sorted(&left), ["source_1:a.rs", "source_1:c.rs"]);
        assert!(left.iter().any(|hit| hit.kind == KnowledgeKind::Note));
    }

    async fn nothing_is_published_by_a_transaction_that_was_not_committed(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let scoped = store.write(acme).await.unwrap();
        documents_publish(&scoped, vec![code("a.rs", 1, "lease")]).await.unwrap();
        assert_eq!(search(&scoped, &SearchRequest::new("lease")).await.unwrap().len(), 1);
        drop(scoped);
        assert_eq!(ask(&store, acme, "lease").await, []);
    }

    async fn a_search_never_finds_another_tenants_document(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let (other, _) = tenant(&store, "other").await;
        let theirs = project(&store, other.id, "theirs").await;
        publish(&store, acme, vec![document(KnowledgeKind::Note, "ours", "lease")]).await;
        publish(&store, other.id, vec![
            document(KnowledgeKind::Note, "ours", "lease secret"),
            Document { project_id: Some(theirs.0), ..document(KnowledgeKind::Note, "theirs", "lease secret") },
        ]).await;

        assert_eq!(subjects(&ask(&store, acme, "lease").await), ["ours"]);
        assert_eq!(ask(&store, acme, "secret").await, []);
        let in_theirs = SearchRequest { project_id: Some(theirs.0), ..SearchRequest::new("secret") };
        assert_eq!(find(&store, acme, &in_theirs).await, []);

        let scoped = store.write(acme).await.unwrap();
        assert_eq!(documents_withdraw(&scoped, KnowledgeKind::Note, &["theirs".to_owned()]).await.unwrap(), 0);
        assert_eq!(documents_withdraw_project(&scoped, KnowledgeKind::Note, theirs.0).await.unwrap(), 0);
        let into_theirs = Document { project_id: Some(theirs.0), ..document(KnowledgeKind::Note, "n", "lease") };
        assert!(matches!(documents_publish(&scoped, vec![into_theirs]).await, Err(Error::NotFound(_))));
        drop(scoped);
        assert_eq!(ask(&store, other.id, "secret").await.len(), 2);
    }

    async fn text_that_a_database_would_refuse_is_published_all_the_same(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let words: String = (0..200_000).map(|n| format!("w{n} ")).collect();
        publish(&store, acme, vec![
            document(KnowledgeKind::Note, "nul", "before\0after"),
            document(KnowledgeKind::Note, "huge", &words),
            document(KnowledgeKind::Note, "long", &format!("lease {}", "x".repeat(100_000))),
            document(KnowledgeKind::Note, "empty", ""),
        ]).await;
        assert_eq!(ask(&store, acme, "after").await[0].excerpt, "before\u{fffd}after");
        assert_eq!(subjects(&ask(&store, acme, "w17").await), ["huge"]);
        assert_eq!(ask(&store, acme, "lease").await[0].excerpt, "lease");
    }

    async fn code_is_cited_by_its_lines_and_the_rest_by_id(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![code("src/lease.rs", 7, "lease"), document(KnowledgeKind::Note, "note_1", "lease")]).await;
        let citations: Vec<Citation> = ask(&store, acme, "lease").await.into_iter().map(Citation::from).collect();
        assert_eq!((citations[0].subject_id.as_deref(), citations[0].path.as_deref(), citations[0].start_line), (None, Some("src/lease.rs"), Some(7)));
        assert_eq!((citations[1].subject_id.as_deref(), citations[1].path.as_deref()), (Some("note_1"), None));
    }

    async fn thousands_of_documents_are_published_and_withdrawn_at_once(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let many: Vec<Document> = (0..12_500).map(|n| code(&format!("src/{n}.rs"), 1, &format!("lease number{n}"))).collect();
        let names: Vec<String> = many.iter().map(|document| document.subject.clone()).collect();
        assert_eq!(publish(&store, acme, many.clone()).await.written, 12_500);
        assert_eq!(publish(&store, acme, many).await.unchanged, 12_500);
        assert_eq!(subjects(&ask(&store, acme, "number12499").await), ["source_1:src/12499.rs"]);
        let scoped = store.write(acme).await.unwrap();
        assert_eq!(documents_withdraw(&scoped, KnowledgeKind::Code, &names).await.unwrap(), 12_500);
        scoped.commit().await.unwrap();
        assert_eq!(ask(&store, acme, "lease").await, []);
    }

    async fn a_file_is_found_by_all_that_is_in_it(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let far: String = (0..300).map(|n| format!("let value{n} = {n};\n")).collect();
        publish(&store, acme, vec![
            code("src/both.rs", 1, &format!("fn lease() {{}}\n{far}fn worker() {{}}\n")),
            code("src/one.rs", 1, &format!("fn lease() {{}}\n{far}")),
        ]).await;
        let hits = ask(&store, acme, "lease worker").await;
        assert_eq!(hits[0].subject, "source_1:src/both.rs");
        assert_eq!(hits[0].explanation.terms.len(), 2);
    }

    async fn word_forms_and_spellings_find_each_other(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![
            code("src/stream.rs", 1, "fn stream_bundle() {}"),
            document(KnowledgeKind::Note, "cpp", "Written in C++ and not in C#"),
            document(KnowledgeKind::Note, "jp", "日本語の検索"),
            document(KnowledgeKind::Note, "wide", "Ｗｉｄｅ letters and STRASSE"),
        ]).await;
        for (question, subject) in [("streaming bundles", "source_1:src/stream.rs"), ("streamBundle", "source_1:src/stream.rs"), ("C++", "cpp"), ("検索", "jp"), ("wide", "wide"), ("straße", "wide")] {
            assert_eq!(subjects(&ask(&store, acme, question).await)[0], subject, "{question}");
        }
    }

    async fn what_is_no_source_weighs_less(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        let paths = ["src/lease.rs", "tests/lease.rs", "locales/de/lease.json", "CHANGELOG.md"];
        let body = "the lease of a worker is renewed";
        publish(&store, acme, paths.iter().enumerate().map(|(n, path)| code(path, 1, &format!("{body} {n}"))).collect()).await;
        let hits = ask(&store, acme, "renew lease").await;
        assert_eq!(hits[0].path.as_deref(), Some("src/lease.rs"));
        assert_eq!(ask(&store, acme, "renew lease tests").await[0].path.as_deref(), Some("tests/lease.rs"));
    }

    async fn the_end_of_a_long_question_is_asked(db: TestDatabase) {
        let (store, acme) = acme(&db).await;
        publish(&store, acme, vec![code("src/lease.rs", 1, "fn renew_lease() {}"), code("src/page.rs", 1, "fn page() {}")]).await;
        let words: String = (0..400).map(|n| format!("word{n} ")).collect();
        let hits = ask(&store, acme, &format!("It fails\n{words}\nat renew_lease (src/lease.rs:1)")).await;
        assert_eq!(subjects(&hits)[0], "source_1:src/lease.rs");
        let many: String = (0..10_000).map(|n| format!("term{n} ")).collect();
        assert_eq!(ask(&store, acme, &many).await, []);
    }
}

/// The function reads past row-level security, so it must enforce the tenant itself.
#[test]
fn the_search_function_returns_nothing_where_no_tenant_is_set() {
    run_on_postgres(|db| async move {
        let (store, acme) = acme(&db).await;
        let (other, _) = tenant(&store, "other").await;
        publish(
            &store,
            acme,
            vec![document(KnowledgeKind::Note, "n", "lease")],
        )
        .await;
        let app = db.app_connection().await.unwrap();
        // A word begins with its tenant's key. A query with another tenant's key finds nothing either.
        let key = &acme.0.simple().to_string()[20..];
        let word = &format!("5k{key}leas");
        assert_eq!(function_rows(&app, None, word).await, 0);
        assert_eq!(function_rows(&app, Some(""), word).await, 0);
        assert_eq!(
            function_rows(&app, Some(&other.id.0.to_string()), word).await,
            0
        );
        assert_eq!(
            function_rows(&app, Some(&acme.0.to_string()), word).await,
            1
        );
        // The setting ends with its transaction.
        assert_eq!(function_rows(&app, None, word).await, 0);
    });
}

/// Its owner is no way around row-level security: the serving role cannot become that role.
#[test]
fn the_owner_of_the_search_function_is_out_of_reach() {
    run_on_postgres(|db| async move {
        let (store, acme) = acme(&db).await;
        publish(
            &store,
            acme,
            vec![document(KnowledgeKind::Note, "n", "lease")],
        )
        .await;
        let app = db.app_connection().await.unwrap();
        let owners = "SELECT count(*) AS n FROM pg_proc WHERE proname = 'nyxcore_search' AND pg_get_userbyid(proowner) = 'nyxcore_test_owner'";
        assert_eq!(count(&app, owners).await, 1);
        let set = app.execute_unprepared("SET ROLE nyxcore_test_owner").await;
        assert!(set.unwrap_err().to_string().contains("permission denied"));
    });
}

async fn function_rows(app: &DatabaseConnection, tenant: Option<&str>, word: &str) -> i64 {
    let tx = app.begin().await.unwrap();
    if let Some(tenant) = tenant {
        tx.execute_unprepared(&format!("SET LOCAL nyxcore.tenant_id = '{tenant}'"))
            .await
            .unwrap();
    }
    let words: Vec<String> = (0..6)
        .map(|level| format!(r#"["{level}{}", 0.5, 10]"#, &word[1..]))
        .collect();
    let sql = format!(
        "SELECT count(*) AS n FROM nyxcore_search('[{}]'::text::jsonb, NULL, ARRAY['NOTE'], NULL, 10, '[]'::jsonb)",
        words.join(", ")
    );
    let rows = count(&tx, &sql).await;
    tx.commit().await.unwrap();
    rows
}

async fn count(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap();
    row.unwrap().try_get("", "n").unwrap()
}

async fn acme(db: &TestDatabase) -> (Store, TenantId) {
    let store = store(db).await;
    let (acme, _) = tenant(&store, "acme").await;
    (store, acme.id)
}

async fn publish(store: &Store, tenant: TenantId, documents: Vec<Document>) -> PublishReport {
    let scoped = store.write(tenant).await.unwrap();
    let published = documents_publish(&scoped, documents).await.unwrap();
    scoped.commit().await.unwrap();
    published
}

async fn find(store: &Store, tenant: TenantId, request: &SearchRequest) -> Vec<Hit> {
    search(&store.read(tenant).await.unwrap(), request)
        .await
        .unwrap()
}

async fn ask(store: &Store, tenant: TenantId, text: &str) -> Vec<Hit> {
    find(store, tenant, &SearchRequest::new(text)).await
}

fn subjects(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.subject.as_str()).collect()
}

fn sorted(hits: &[Hit]) -> Vec<&str> {
    let mut subjects = subjects(hits);
    subjects.sort_unstable();
    subjects
}

fn document(kind: KnowledgeKind, subject: &str, body: &str) -> Document {
    Document {
        kind,
        subject: subject.to_owned(),
        subject_id: None,
        project_id: None,
        title: String::new(),
        body: body.to_owned(),
        path: None,
        source_id: None,
        start_line: None,
        end_line: None,
        stack: None,
        role: None,
    }
}

/// A document of some lines of a file.
fn code(path: &str, start_line: i64, body: &str) -> Document {
    Document {
        path: Some(path.to_owned()),
        source_id: None,
        start_line: Some(start_line),
        end_line: Some(start_line + 1),
        ..document(KnowledgeKind::Code, &format!("source_1:{path}"), body)
    }
}

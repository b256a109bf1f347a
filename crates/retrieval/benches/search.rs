//! The duration of a search over 100,000 documents of one project, on both databases: by words, from rare ones to the
//! most common ones, and by words and vectors. `just bench-search`.
//!
//! The words of the documents are made up. Their frequencies follow Zipf's law with the exponent 1, as those of texts
//! do, and a document has 120 of them. Vectors have 384 numbers; they lie around 1,000 centres, because those of texts
//! are not spread evenly either. `--documents N` and `--vectors N` change the numbers.

use std::error::Error;
use std::time::Instant;

use nyxcore_retrieval::vector::{
    PassageVector, QuestionVector, VectorBatch, VectorModel, documents_unembedded,
    vector_model_complete, vectors_save,
};
use nyxcore_retrieval::{
    Document, KnowledgeKind, SearchRequest, documents_publish, search, search_with,
};
use nyxcore_tenancy::directory::tenant_create;
use nyxcore_tenancy::{Backend, Env, Store, StoreOptions, TenantId};
use nyxcore_tests::TestDatabase;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The number of documents, and of those with a vector.
const ITEMS: usize = 100_000;
/// How many different words there are.
const WORDS: usize = 30_000;
/// The number of words of a title and of a text.
const TITLE: usize = 6;
const TEXT: usize = 120;
/// Documents and vectors that are written in one transaction.
const BATCH: usize = 2_000;
/// How many questions of each sort are asked: odd, so that the median is one of them.
const QUESTIONS: usize = 21;
/// The numbers of a vector, and the centres that vectors lie around.
const DIMENSIONS: usize = 384;
const CENTRES: usize = 1_000;
/// The limit of each median, in milliseconds.
const MOST_MS: f64 = 50.0;

/// The sorts of questions: a name, and the ranks of their words, from the most common one on.
const SORTS: &[(&str, &[std::ops::Range<usize>])] = &[
    (
        "three rare words",
        &[5_000..20_000, 5_000..20_000, 5_000..20_000],
    ),
    (
        "a sentence of eight words",
        &[
            0..20,
            0..200,
            20..500,
            20..500,
            100..2_000,
            100..2_000,
            500..5_000,
            500..5_000,
        ],
    ),
    ("two common words", &[0..50, 0..50]),
    (
        "the five most common words",
        &[0..1, 1..2, 2..3, 3..4, 4..5],
    ),
];

/// A generator of numbers that are the same in every run (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }
}

/// The word of a rank: syllables, so that no two are alike and none is a stop word.
fn word(rank: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "do", "fi", "gu", "ke", "la", "mo", "ni", "pu", "re", "sa", "to", "vi", "wu", "xe",
        "ya", "zo", "qui", "cha", "tru",
    ];
    let mut rest = rank + 8_000;
    let mut text = String::new();
    while rest > 0 {
        text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    text
}

/// Words by Zipf's law.
struct Dictionary {
    words: Vec<String>,
    /// The sum of the frequencies up to each word.
    sums: Vec<f64>,
}

impl Dictionary {
    fn new() -> Self {
        let sums = (1..=WORDS).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self {
            words: (0..WORDS).map(word).collect(),
            sums: sums.collect(),
        }
    }

    fn text(&self, random: &mut Random, words: usize) -> String {
        let all = self.sums.last().copied().unwrap_or(1.0);
        let text: Vec<&str> = (0..words)
            .map(|_| {
                let at = random.share() * all;
                let rank = self.sums.partition_point(|sum| *sum < at);
                self.words[rank.min(WORDS - 1)].as_str()
            })
            .collect();
        text.join(" ")
    }
}

/// A vector around one of the centres.
fn vector(random: &mut Random, centres: &[Vec<f32>]) -> Vec<f32> {
    let centre = &centres[random.below(centres.len())];
    let near = centre
        .iter()
        .map(|number| number + (random.share() as f32 - 0.5));
    near.collect()
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let documents = number_of("--documents")?.unwrap_or(ITEMS);
    let vectors = number_of("--vectors")?.unwrap_or(ITEMS).min(documents);
    println!("{documents} documents, {vectors} vectors of {DIMENSIONS} numbers\n");
    println!("| database | question | median | slowest |\n|---|---|---|---|");
    let mut slowest = 0.0_f64;
    for database in [
        TestDatabase::sqlite().await?,
        TestDatabase::postgres().await?,
    ] {
        slowest = slowest.max(measure(&database, documents, vectors).await?);
    }
    println!("\nlimit: {MOST_MS} ms for each median");
    match slowest <= MOST_MS {
        true => Ok(()),
        false => Err("the limit was not held".into()),
    }
}

/// The value of an argument.
fn number_of(name: &str) -> Outcome<Option<usize>> {
    let mut words = std::env::args().skip_while(|word| word != name).skip(1);
    Ok(words.next().map(|word| word.parse()).transpose()?)
}

/// Fills a database and prints its rows of the table. Returns the greatest median in milliseconds.
async fn measure(database: &TestDatabase, documents: usize, vectors: usize) -> Outcome<f64> {
    let store = Store::connect(&StoreOptions::new(database.app_url()), Env::default()).await?;
    let name = match store.backend() {
        Backend::Postgres => "PostgreSQL",
        _ => "SQLite",
    };
    let (tenant, _) = tenant_create(&store, "acme", "Acme", "ada@example.org").await?;
    let dictionary = Dictionary::new();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let start = Instant::now();
    let project = documents_make(&store, tenant.id, &dictionary, &mut random, documents).await?;
    eprintln!(
        "{name}: documents after {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let centres: Vec<Vec<f32>> = (0..CENTRES)
        .map(|_| {
            (0..DIMENSIONS)
                .map(|_| random.share() as f32 - 0.5)
                .collect()
        })
        .collect();
    let model = VectorModel {
        model: "bench/model".into(),
        dimensions: u32::try_from(DIMENSIONS)?,
    };
    vectors_make(&store, tenant.id, &model, &centres, &mut random, vectors).await?;
    eprintln!(
        "{name}: vectors after {:.0} s",
        start.elapsed().as_secs_f64()
    );
    if store.backend() == Backend::Postgres {
        // The tests' PostgreSQL has no autovacuum.
        let superuser = database.superuser_connection().await?;
        superuser.execute_unprepared("VACUUM ANALYZE").await?;
    }
    let mut slowest = 0.0_f64;
    for (sort, ranks) in SORTS {
        let mut times = Vec::new();
        for _ in 0..QUESTIONS {
            let words = ranks.iter().map(|ranks| {
                let rank = ranks.start + random.below(ranks.len());
                dictionary.words[rank].as_str()
            });
            let mut request = SearchRequest::new(words.collect::<Vec<_>>().join(" "));
            request.project_id = Some(project);
            let start = Instant::now();
            let scoped = store.read(tenant.id).await?;
            let hits = search(&scoped, &request).await?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            if hits.is_empty() {
                return Err(format!("{name}: no hit for {}", request.text).into());
            }
        }
        slowest = slowest.max(line(name, sort, times));
    }
    if vectors == 0 {
        return Ok(slowest);
    }
    let mut times = Vec::new();
    for _ in 0..QUESTIONS {
        let question = QuestionVector {
            model: model.clone(),
            vector: vector(&mut random, &centres).into(),
        };
        let mut request =
            SearchRequest::new(dictionary.words[5_000 + random.below(10_000)].clone());
        request.project_id = Some(project);
        let start = Instant::now();
        let scoped = store.read(tenant.id).await?;
        search_with(&scoped, &request, Some(&question)).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(slowest.max(line(name, "a rare word and a vector", times)))
}

/// Prints a row of the table, and returns the median.
fn line(name: &str, sort: &str, mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!("| {name} | {sort} | {median:.1} ms | {most:.1} ms |");
    median
}

/// Publishes the documents in a project, and returns its id.
async fn documents_make(
    store: &Store,
    tenant: TenantId,
    dictionary: &Dictionary,
    random: &mut Random,
    documents: usize,
) -> Outcome<Uuid> {
    let project = store.env().id();
    let now = store.env().now();
    let scoped = store.write(tenant).await?;
    let sql = "INSERT INTO projects (tenant_id, id, slug, name, created_at, updated_at) VALUES ($1, $2, 'p', 'P', $3, $3)";
    scoped
        .sql_execute(sql, [project.into(), now.into()])
        .await?;
    scoped.commit().await?;
    let mut first = 0;
    while first < documents {
        let last = (first + BATCH).min(documents);
        let batch = (first..last).map(|number| {
            // As in a repository: mostly code.
            let kind = match number % 20 {
                0..=11 => KnowledgeKind::Code,
                12..=14 => KnowledgeKind::Document,
                15..=17 => KnowledgeKind::MemoryEntry,
                _ => KnowledgeKind::Note,
            };
            let title = dictionary.text(random, TITLE);
            let body = dictionary.text(random, TEXT);
            let mut document = Document::new(kind, format!("item_{number}"), title, body);
            document.project_id = Some(project);
            if kind == KnowledgeKind::Code {
                document.path = Some(format!("src/part{}/file{number}.rs", number % 97));
            }
            document
        });
        let scoped = store.write(tenant).await?;
        documents_publish(&scoped, batch.collect()).await?;
        scoped.commit().await?;
        first = last;
    }
    Ok(project)
}

/// Stores a vector for each of so many documents, and makes the model the current one.
async fn vectors_make(
    store: &Store,
    tenant: TenantId,
    model: &VectorModel,
    centres: &[Vec<f32>],
    random: &mut Random,
    vectors: usize,
) -> Outcome<()> {
    let mut after = None;
    let mut made = 0;
    while made < vectors {
        let scoped = store.read(tenant).await?;
        let which = (model.model.as_str(), Some(model.dimensions));
        let some = (vectors - made).min(BATCH) as u64;
        let open = documents_unembedded(&scoped, which, after, some).await?;
        drop(scoped);
        let Some(last) = open.last() else { break };
        after = Some(last.document);
        made += open.len();
        let passages = open.iter().flat_map(|document| &document.passages);
        let vectors = passages.map(|passage| PassageVector {
            hash: passage.hash.clone(),
            vector: vector(random, centres),
        });
        let batch = VectorBatch {
            vectors: vectors.collect(),
            documents: open,
        };
        let scoped = store.write(tenant).await?;
        vectors_save(&scoped, model, batch).await?;
        scoped.commit().await?;
    }
    let scoped = store.write(tenant).await?;
    vector_model_complete(&scoped, model).await?;
    scoped.commit().await?;
    Ok(())
}

//! The vectors of a model in memory with one byte for each number, on SQLite, which has no index for them.
//!
//! A question is compared with all of them without reading the vectors from the file: with 20,000 vectors the first
//! question, which reads them all, took 110 ms, and later ones 6 ms (`just bench-search`). A code is off by at most
//! half a step for each number, so each comparison has an upper bound of the similarity. The vectors whose bound is
//! high enough are read and compared exactly: the result is the same.
//!
//! A vector never changes, because it belongs to a text. So only new rows have to be read before a question, and a row
//! that was deleted is not found when it is read. A reader with an older snapshot than the codes reads them all again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use nyxcore_tenancy::{Access, Result, Scoped, TenantId};
use sea_orm::{FromQueryResult, Value};
use tokio::sync::Mutex as AsyncMutex;

use super::VectorModel;

/// The most bytes of codes in memory, of all tenants: 340,000 vectors of 384 numbers. A tenant with more is compared
/// without codes.
const BYTES_MAX: u64 = 128 * 1024 * 1024;
/// The vectors that are read per query.
const BLOCK: i64 = 1_024;
/// The largest absolute code of a stored vector, and of a question.
const CODE_MAX: f32 = 127.0;
const QUESTION_CODE_MAX: f32 = 32_767.0;

/// The codes of all tenants of a store.
#[derive(Default)]
struct CodeMemory {
    codes: Mutex<HashMap<(TenantId, VectorModel), Arc<TenantCodes>>>,
    clock: AtomicU64,
}

/// The codes of one model of a tenant. Whoever brings them up to date holds the lock.
#[derive(Default)]
struct TenantCodes {
    codes: AsyncMutex<Codes>,
    bytes: AtomicU64,
    used: AtomicU64,
}

/// Codes in the order of their rows. Parts are shared with the questions that are being compared.
#[derive(Default, Clone)]
struct Codes {
    parts: Vec<Arc<Part>>,
    /// The last row that was read.
    newest: Option<Stamp>,
}

#[derive(Default, Clone)]
struct Part {
    rows: Vec<i64>,
    steps: Vec<f32>,
    /// The codes of all rows, one after another.
    codes: Vec<i8>,
}

/// A row of the table. SQLite gives the number of a deleted last row to the next row, which is younger.
#[derive(Debug, Clone, Copy, PartialEq, FromQueryResult)]
struct Stamp {
    row: i64,
    created_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct VectorRow {
    row: i64,
    created_at: DateTime<Utc>,
    vector: Vec<u8>,
}

impl VectorRow {
    fn stamp(&self) -> Stamp {
        Stamp {
            row: self.row,
            created_at: self.created_at,
        }
    }
}

#[derive(FromQueryResult)]
struct CountRow {
    number: i64,
}

/// A stored vector that may be near.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BoundedVector {
    /// Its row in SQLite's table.
    pub row: i64,
    /// It is at most this similar.
    pub most: f64,
}

/// The index ends with the row numbers, so that the statements read no other row.
macro_rules! of_model {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM search_vectors INDEXED BY search_vectors_rows WHERE tenant_id = $1 AND model = $2 AND dimensions = $3 ",
            $rest
        )
    };
}

const NEWEST: &str = of_model!(
    "rowid AS \"row\", created_at",
    "ORDER BY rowid DESC LIMIT 1"
);
const COUNTED: &str = of_model!("count(*) AS number", "");
const ADDED: &str = of_model!(
    "rowid AS \"row\", created_at, vector",
    "AND rowid >= $4 ORDER BY rowid LIMIT $5"
);

/// The stored vectors that may be at least `least` similar to a question of the length 1, the highest bound first.
/// `None` where the tenant has too many vectors for the memory.
///
/// # Errors
/// The database refuses.
pub(super) async fn near<A: Access>(
    scoped: &Scoped<A>,
    model: &VectorModel,
    question: &[f32],
    least: f64,
) -> Result<Option<Vec<BoundedVector>>> {
    let memory = scoped.shared::<CodeMemory>();
    let tenant = memory.of(scoped.tenant(), model);
    let Some(codes) = tenant.current(scoped, model).await? else {
        return Ok(None);
    };
    memory.evict_others(scoped.tenant(), model);
    let question = QuestionCode::of(question);
    let near = tokio::task::spawn_blocking(move || {
        let parts = codes.parts.iter();
        let mut near: Vec<BoundedVector> = parts
            .flat_map(|part| part.bounded(&question))
            .filter(|one| one.most >= least)
            .collect();
        near.sort_by(|a, b| b.most.total_cmp(&a.most).then(a.row.cmp(&b.row)));
        near
    });
    match near.await {
        Ok(near) => Ok(Some(near)),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The program ends.
            Err(_) => Ok(None),
        },
    }
}

impl CodeMemory {
    fn of(&self, tenant: TenantId, model: &VectorModel) -> Arc<TenantCodes> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let one = Arc::clone(codes.entry((tenant, model.clone())).or_default());
        one.used.store(self.clock.fetch_add(1, Relaxed), Relaxed);
        one
    }

    /// Drops the codes that were used the longest ago, until the others fit.
    fn evict_others(&self, tenant: TenantId, model: &VectorModel) {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let bytes: u64 = codes.values().map(|one| one.bytes.load(Relaxed)).sum();
            let others = codes
                .iter()
                .filter(|((of, its), _)| *of != tenant || its != model);
            let oldest = others.min_by_key(|(_, one)| one.used.load(Relaxed));
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if bytes <= BYTES_MAX {
                return;
            }
            codes.remove(&key);
        }
    }
}

impl TenantCodes {
    /// The codes of all vectors that the scope sees.
    async fn current<A: Access>(
        &self,
        scoped: &Scoped<A>,
        model: &VectorModel,
    ) -> Result<Option<Codes>> {
        let newest: Vec<Stamp> = scoped.sql_all(NEWEST, key(model)).await?;
        let mut codes = self.codes.lock().await;
        if codes.newest != newest.first().copied() {
            if codes.newest.is_none() && !fits(scoped, model).await? {
                return Ok(None);
            }
            if !codes.add(scoped, model).await? {
                // The newest row is another one now: rows were deleted, and their numbers used again.
                *codes = Codes::default();
                codes.add(scoped, model).await?;
            }
            self.bytes.store(codes.bytes(), Relaxed);
        }
        Ok((codes.bytes() <= BYTES_MAX).then(|| codes.clone()))
    }
}

/// The values of a statement that follow the tenant.
fn key(model: &VectorModel) -> [Value; 2] {
    [
        model.model.clone().into(),
        i64::from(model.dimensions).into(),
    ]
}

async fn fits<A: Access>(scoped: &Scoped<A>, model: &VectorModel) -> Result<bool> {
    let rows: Vec<CountRow> = scoped.sql_all(COUNTED, key(model)).await?;
    let vectors = rows.first().map_or(0, |row| row.number.unsigned_abs());
    Ok(vectors * u64::from(model.dimensions) <= BYTES_MAX)
}

impl Codes {
    /// Adds the rows after the newest one. `false` where that one is no longer there.
    async fn add<A: Access>(&mut self, scoped: &Scoped<A>, model: &VectorModel) -> Result<bool> {
        let mut known = self.newest;
        let mut from = known.map_or(0, |newest| newest.row);
        loop {
            let values = key(model).into_iter().chain([from.into(), BLOCK.into()]);
            let mut rows: Vec<VectorRow> = scoped.sql_scan(ADDED, values).await?;
            if let Some(known) = known.take() {
                if rows.first().map(VectorRow::stamp) != Some(known) {
                    return Ok(false);
                }
                rows.remove(0);
            }
            let Some(last) = rows.last() else {
                return Ok(true);
            };
            from = last.row + 1;
            self.newest = Some(last.stamp());
            // A small part grows, so that many small additions do not become many parts.
            let small = self.parts.pop_if(|part| (part.rows.len() as i64) < BLOCK);
            let mut part = small.map(Arc::unwrap_or_clone).unwrap_or_default();
            for row in rows {
                part.add(row.row, &row.vector, model.dimensions as usize);
            }
            self.parts.push(Arc::new(part));
        }
    }

    fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.codes.len() as u64).sum()
    }
}

impl Part {
    /// Adds a stored vector. A text that its model refused has none.
    fn add(&mut self, row: i64, vector: &[u8], dimensions: usize) {
        let (numbers, _) = vector.as_chunks::<4>();
        if numbers.len() != dimensions {
            return;
        }
        let numbers = numbers.iter().map(|number| f32::from_le_bytes(*number));
        let largest = numbers.clone().map(f32::abs).fold(0.0, f32::max);
        let step = largest / CODE_MAX;
        let code = |number: f32| {
            if step > 0.0 {
                (number / step).round()
            } else {
                0.0
            }
        };
        self.rows.push(row);
        self.steps.push(step);
        self.codes.extend(numbers.map(|number| code(number) as i8));
    }

    fn bounded(&self, question: &QuestionCode) -> impl Iterator<Item = BoundedVector> {
        let vectors = self.codes.chunks_exact(question.codes.len().max(1));
        let rows = self.rows.iter().zip(&self.steps).zip(vectors);
        rows.map(|((row, step), codes)| {
            let sum: i32 = codes
                .iter()
                .zip(&question.codes)
                .map(|(code, asked)| i32::from(*code) * i32::from(*asked))
                .sum();
            let step = f64::from(*step);
            let product = f64::from(sum) * step * question.step;
            // Half a step of the vector for each number, and half a step of the question for each code.
            let off = question.sum * step / 2.0
                + question.step / 2.0 * step * f64::from(CODE_MAX) * codes.len() as f64;
            BoundedVector {
                row: *row,
                most: product + off,
            }
        })
    }
}

/// A question of the length 1.
struct QuestionCode {
    codes: Vec<i16>,
    step: f64,
    /// The sum of the absolute numbers.
    sum: f64,
}

impl QuestionCode {
    fn of(question: &[f32]) -> Self {
        let largest = question.iter().copied().map(f32::abs).fold(0.0, f32::max);
        let step = largest / QUESTION_CODE_MAX;
        let code = |number: &f32| {
            if step > 0.0 {
                (number / step).round()
            } else {
                0.0
            }
        };
        Self {
            codes: question.iter().map(|number| code(number) as i16).collect(),
            step: f64::from(step),
            sum: question.iter().map(|number| f64::from(number.abs())).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{product, to_bytes, unit};
    use super::*;

    proptest! {
        #[test]
        fn a_bound_is_close_above_the_similarity(
            stored in prop::collection::vec(-1.0_f32..1.0, 96),
            asked in prop::collection::vec(-1.0_f32..1.0, 96),
        ) {
            let (stored, asked) = (unit(&stored), unit(&asked));
            let mut part = Part::default();
            part.add(7, &to_bytes(&stored), stored.len());
            let bounded: Vec<BoundedVector> = part.bounded(&QuestionCode::of(&asked)).collect();
            let exact = product(&to_bytes(&stored), &asked).unwrap();
            prop_assert_eq!(bounded[0].row, 7);
            prop_assert!(exact <= bounded[0].most + 1e-6 && bounded[0].most < exact + 0.05);
        }
    }

    #[test]
    fn vectors_of_another_length_have_no_code() {
        let mut part = Part::default();
        part.add(1, &[], 3);
        part.add(2, &to_bytes(&[0.0, 0.0, 0.0]), 3);
        let bounded: Vec<BoundedVector> =
            part.bounded(&QuestionCode::of(&[1.0, 0.0, 0.0])).collect();
        assert_eq!(bounded, [BoundedVector { row: 2, most: 0.0 }]);
    }
}

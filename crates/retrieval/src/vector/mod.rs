//! Vectors beside the words: documents are split into passages, each passage has a vector by its content, and a
//! question finds the nearest ones.
//!
//! This module stores and compares vectors; it calls no model. Vectors of several models are stored side by side, and
//! questions are compared with those of the current one, which is complete.

mod codes;
mod nearest;
mod passage;
mod store;

use nyxcore_tenancy::{Access, Backend, Result, Scoped};
use sea_orm::FromQueryResult;

pub(crate) use nearest::{Neighbor, NeighborFilter, nearest};
pub use passage::{DocumentPassages, PASSAGE_CHARS_MAX, PASSAGES_MAX, Passage};
pub use store::{
    PassageVector, VectorBatch, documents_unembedded, documents_unembedded_count,
    vector_model_complete, vector_model_current, vector_models, vectors_index, vectors_known,
    vectors_others_remove, vectors_save, vectors_unused_remove,
};

/// A model that embeds texts, and the length of its vectors. Vectors of different models cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorModel {
    /// The provider and the model's id, such as `openai/text-embedding-3-small`.
    pub model: String,
    /// The length of a vector.
    pub dimensions: u32,
}

/// A question as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionVector {
    /// The model that made it. Where it is not the tenant's current one, only words are searched for.
    pub model: VectorModel,
    /// The vector. It need not have the length 1.
    pub vector: std::sync::Arc<[f32]>,
}

/// The vector scaled to the length 1, as it is stored: the product of two such vectors is their similarity. A vector of
/// zeros is returned unchanged.
pub(crate) fn unit(vector: &[f32]) -> Vec<f32> {
    let square: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    let length = square.sqrt();
    if length > 0.0 && length.is_finite() {
        vector
            .iter()
            .map(|&x| (f64::from(x) / length) as f32)
            .collect()
    } else {
        vector.to_vec()
    }
}

/// The stored form of a vector: little-endian floats of 32 bits.
pub(crate) fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The dot product of a stored vector and another. `None` where their lengths differ.
pub(crate) fn product(kept: &[u8], other: &[f32]) -> Option<f64> {
    let (numbers, rest) = kept.as_chunks::<4>();
    if !rest.is_empty() || numbers.len() != other.len() || other.is_empty() {
        return None;
    }
    // Eight independent sums, which the compiler turns into SIMD instructions.
    let mut sums = [0.0_f32; 8];
    let (left, left_rest) = numbers.as_chunks::<8>();
    let (right, right_rest) = other.as_chunks::<8>();
    for (a, b) in left.iter().zip(right) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f32::from_le_bytes(*a) * b;
        }
    }
    let rest: f32 = left_rest
        .iter()
        .zip(right_rest)
        .map(|(a, b)| f32::from_le_bytes(*a) * b)
        .sum();
    let product = f64::from(sums.iter().sum::<f32>() + rest);
    product.is_finite().then_some(product)
}

/// A vector in pgvector's text format.
pub(crate) fn to_text(vector: &[f32]) -> String {
    serde_json::json!(vector).to_string()
}

#[derive(FromQueryResult)]
struct ColumnRow {
    has_column: bool,
}

/// Whether pgvector's column for the vectors of a model exists. The model must be known to the tenant.
async fn has_column<A: Access>(scoped: &Scoped<A>, model: &VectorModel) -> Result<bool> {
    if scoped.backend() != Backend::Postgres {
        return Ok(false);
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = to_regclass('public.search_vectors')
                    AND a.attname = 'embedding' AND NOT a.attisdropped) AS has_column
               FROM search_vector_models m WHERE m.tenant_id = $1 AND m.model = $2 AND m.dimensions = $3";
    let values = [
        model.model.clone().into(),
        i64::from(model.dimensions).into(),
    ];
    let rows: Vec<ColumnRow> = scoped.sql_all(sql, values).await?;
    Ok(rows.first().is_some_and(|row| row.has_column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_unit_vectors_is_their_similarity() {
        for length in [1, 3, 8, 13, 1_536] {
            let one: Vec<f32> = (0..length).map(|n| (n % 7) as f32 + 1.0).collect();
            let other: Vec<f32> = one.iter().map(|x| -x).collect();
            let kept = to_bytes(&unit(&one));
            assert!((product(&kept, &unit(&one)).unwrap() - 1.0).abs() < 1e-5);
            assert!((product(&kept, &unit(&other)).unwrap() + 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn vectors_of_different_lengths_have_no_product() {
        let kept = to_bytes(&[1.0, 0.0]);
        assert_eq!(product(&kept, &[1.0]), None);
        assert_eq!(product(&kept[..5], &[1.0]), None);
        assert_eq!(product(&[], &[]), None);
        assert_eq!(product(&kept, &[f32::NAN, 0.0]), None);
    }

    #[test]
    fn a_vector_of_zeros_stays() {
        assert_eq!(unit(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(to_text(&[0.5, -1.0]), "[0.5,-1.0]");
    }
}

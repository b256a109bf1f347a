//! Tests of the model from the folder that `NYXCORE_LOCAL_MODEL` names; `just test-local-embeddings` provides it.

use std::path::PathBuf;

use nyxcore_local_embeddings::{DIMENSIONS, LocalModel, ModelFolder, folder_install};

fn folder() -> PathBuf {
    let folder = std::env::var_os("NYXCORE_LOCAL_MODEL");
    folder
        .expect("run `just test-local-embeddings`, which brings the model")
        .into()
}

fn model() -> LocalModel {
    let folder = ModelFolder::open(folder()).expect("the folder has the model");
    LocalModel::open(&folder).expect("the model can be read")
}

/// The dot product: the similarity of vectors of length one.
fn product(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

fn difference(one: &[f32], other: &[f32]) -> f32 {
    let differences = one.iter().zip(other).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

#[test]
fn similarities_are_those_that_its_authors_publish() {
    // From the quick start of sentence-transformers' documentation.
    let texts = [
        "The weather is lovely today.",
        "It's so sunny outside!",
        "He drove to the stadium.",
    ];
    let vectors = model().embed(&texts).unwrap().vectors;
    for (one, other, published) in [(0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)] {
        let similarity = product(&vectors[one], &vectors[other]);
        assert!(
            (similarity - published).abs() < 1e-4,
            "{similarity} is not {published}"
        );
    }
}

#[test]
fn a_text_has_one_vector_whatever_it_is_embedded_with() {
    let model = model();
    let texts: Vec<String> = (0..60)
        .map(|n| format!("lease {n} {}", "is renewed by its worker ".repeat(n % 17)))
        .collect();
    let all = model.embed(&texts).unwrap();
    assert_eq!(all.vectors.len(), texts.len());
    let mut tokens = 0;
    for (text, vector) in texts.iter().zip(&all.vectors) {
        let alone = model.embed(std::slice::from_ref(text)).unwrap();
        assert!(difference(&alone.vectors[0], vector) < 1e-5, "{text}");
        tokens += alone.tokens;
    }
    assert_eq!(all.tokens, tokens);
}

#[test]
fn what_is_behind_the_last_token_is_left_out() {
    let model = model();
    let long = "renew the lease ".repeat(400);
    let texts = [
        format!("{long} invoice"),
        format!("{long} weather"),
        String::new(),
    ];
    let answer = model.embed(&texts).unwrap();
    assert_eq!(answer.vectors[0], answer.vectors[1]);
    assert_eq!(answer.tokens, 256 + 256 + 2);
    for vector in &answer.vectors {
        assert_eq!(vector.len(), DIMENSIONS as usize);
        assert!((product(vector, vector) - 1.0).abs() < 1e-5);
    }
    assert!(model.embed(&[""; 0]).unwrap().vectors.is_empty());
}

#[test]
fn many_who_embed_at_once_get_their_own_vectors() {
    let model = model();
    let texts = ["a lease", "an invoice", "the weather", "a stadium"];
    let alone: Vec<Vec<f32>> = model.embed(&texts).unwrap().vectors;
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (model, alone) = (&model, &alone);
            scope.spawn(move || {
                let at = n % texts.len();
                let vector = &model.embed(&[texts[at]]).unwrap().vectors[0];
                assert!(difference(vector, &alone[at]) < 1e-5);
                let all = model.embed(&texts).unwrap().vectors;
                assert!(
                    all.iter()
                        .zip(alone)
                        .all(|(one, other)| difference(one, other) < 1e-5)
                );
            });
        }
    });
}

#[test]
fn a_folder_is_installed_as_a_whole() {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("model");
    for _ in 0..2 {
        let installed = folder_install(&folder(), &target).unwrap();
        assert_eq!(installed.path(), target);
        assert_eq!(installed.tokens_max(), 256);
    }
    let names = std::fs::read_dir(parent.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside it");
}

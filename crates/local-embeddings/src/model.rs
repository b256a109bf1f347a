//! The model in memory: computes the vectors of texts, on its own threads.

use std::fs;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokenizers::{Tokenizer, TruncationParams};

use crate::batches::batches_of;
use crate::bert::Bert;
use crate::folder::{DIMENSIONS, FolderError, ModelFolder, TOKENIZER, WEIGHTS};

/// The most threads that embed documents: with more, the memory is the limit and not the cores.
const THREADS_MAX: usize = 4;
/// The characters that are tokenized for each token that is read: the rest of a long text is cut.
const CHARS_PER_TOKEN: usize = 100;

/// The vectors of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalVectors {
    /// One vector per text, in the order of the texts, each of length one and with [`DIMENSIONS`] numbers.
    pub vectors: Vec<Vec<f32>>,
    /// The tokens that were read, without padding.
    pub tokens: u64,
}

/// Why there are no vectors. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalModelError {
    /// The folder is not that of the model.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file of the folder is damaged.
    #[error("{}: {reason}; run `nyxcore models pull` again", .path.display())]
    FileDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system cannot start a thread.
    #[error("the local model got no thread: {0}")]
    Threads(String),
    /// The computation failed.
    #[error("the local model failed: {0}")]
    Failed(String),
}

/// The model in memory. It takes 90 MB, and is shared by all who embed.
///
/// Several texts are computed by as many threads as the machine has cores, four at most. A single text, which is a
/// question, has its own thread, so that it does not wait for documents.
pub struct LocalModel {
    bert: Bert,
    tokenizer: Tokenizer,
    chars_max: usize,
    /// Pools of one thread each: candle splits a matrix among the threads of the pool that it runs in.
    documents: Vec<ThreadPool>,
    questions: ThreadPool,
}

impl std::fmt::Debug for LocalModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalModel").finish_non_exhaustive()
    }
}

/// A tokenized text.
struct Tokens {
    ids: Vec<u32>,
}

impl LocalModel {
    /// Loads the model.
    ///
    /// # Errors
    /// [`LocalModelError`].
    pub fn open(folder: &ModelFolder) -> Result<Self, LocalModelError> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self::open_with(folder, cores.min(THREADS_MAX))
    }

    /// As [`LocalModel::open`], with that many threads for documents.
    ///
    /// # Errors
    /// [`LocalModelError`].
    pub fn open_with(folder: &ModelFolder, threads: usize) -> Result<Self, LocalModelError> {
        let damaged = |name: &str, reason: String| LocalModelError::FileDamaged {
            path: folder.path().join(name),
            reason,
        };
        let read = |name: &str| {
            fs::read(folder.path().join(name)).map_err(|error| damaged(name, error.to_string()))
        };
        let mut tokenizer = Tokenizer::from_bytes(read(TOKENIZER)?)
            .map_err(|error| damaged(TOKENIZER, error.to_string()))?;
        let truncation = TruncationParams {
            max_length: folder.tokens_max(),
            ..TruncationParams::default()
        };
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(|error| damaged(TOKENIZER, error.to_string()))?;
        let weights =
            VarBuilder::from_buffered_safetensors(read(WEIGHTS)?, DType::F32, &Device::Cpu)
                .and_then(|weights| Bert::load(folder.config(), &weights));
        let threads = threads.max(1);
        let documents = (0..threads).map(|n| pool(&format!("embed-{n}")));
        Ok(Self {
            bert: weights.map_err(|error| damaged(WEIGHTS, error.to_string()))?,
            tokenizer,
            chars_max: folder.tokens_max() * CHARS_PER_TOKEN,
            documents: documents.collect::<Result<_, _>>()?,
            questions: pool("embed-question")?,
        })
    }

    /// The vectors of texts. It is CPU-bound, and so belongs on a thread that may block.
    ///
    /// # Errors
    /// [`LocalModelError::Failed`].
    pub fn embed(&self, texts: &[impl AsRef<str> + Sync]) -> Result<LocalVectors, LocalModelError> {
        let tokens = texts.iter().map(|text| self.tokens_of(text.as_ref()));
        let tokens = tokens.collect::<Result<Vec<Tokens>, _>>()?;
        let lengths: Vec<usize> = tokens.iter().map(|one| one.ids.len()).collect();
        let batches = batches_of(&lengths);
        let mut vectors = vec![Vec::new(); texts.len()];
        for (at, vector) in self.computed(&tokens, &batches)? {
            vectors[at] = vector;
        }
        Ok(LocalVectors {
            vectors,
            tokens: lengths.iter().map(|length| *length as u64).sum(),
        })
    }

    /// The vectors of all batches, each with the index of its text.
    fn computed(
        &self,
        tokens: &[Tokens],
        batches: &[Vec<usize>],
    ) -> Result<Vec<(usize, Vec<f32>)>, LocalModelError> {
        let of_batch = |batch: &Vec<usize>| -> Result<Vec<(usize, Vec<f32>)>, LocalModelError> {
            let texts: Vec<&Tokens> = batch.iter().map(|at| &tokens[*at]).collect();
            let vectors = self.batch_compute(&texts)?;
            Ok(batch.iter().copied().zip(vectors).collect())
        };
        if let [batch] = batches
            && batch.len() == 1
        {
            return self.questions.install(|| of_batch(batch));
        }
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Ok(Vec::with_capacity(tokens.len())));
        let work = |pool: &ThreadPool| {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                // Each batch is submitted by itself, so that another caller gets the thread in between.
                let computed = pool.install(|| of_batch(batch));
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                match (computed, &mut *all) {
                    (Ok(vectors), Ok(all)) => all.extend(vectors),
                    (Err(error), whole) => *whole = Err(error),
                    (Ok(_), Err(_)) => return,
                }
            }
        };
        thread::scope(|scope| {
            let pools = self.documents.iter().take(batches.len());
            for pool in pools.skip(1) {
                let work = &work;
                scope.spawn(move || work(pool));
            }
            work(&self.documents[0]);
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens_of(&self, text: &str) -> Result<Tokens, LocalModelError> {
        // Text far behind the last token that is read is cut before tokenizing.
        let end = text.char_indices().nth(self.chars_max);
        let text = end.map_or(text, |(end, _)| &text[..end]);
        let encoding = self.tokenizer.encode_fast(text, true);
        let encoding = encoding.map_err(|error| LocalModelError::Failed(error.to_string()))?;
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
        })
    }

    /// The vectors of a batch. A panic of the computation is an error of this batch alone.
    fn batch_compute(&self, texts: &[&Tokens]) -> Result<Vec<Vec<f32>>, LocalModelError> {
        let computed = catch_unwind(AssertUnwindSafe(|| self.forward(texts)));
        let computed = computed.map_err(|_| LocalModelError::Failed("it panicked".to_owned()))?;
        let vectors = computed.map_err(|error| LocalModelError::Failed(error.to_string()))?;
        let is_good = |vector: &Vec<f32>| {
            vector.len() == DIMENSIONS as usize && vector.iter().all(|number| number.is_finite())
        };
        match vectors.iter().all(is_good) {
            true => Ok(vectors),
            false => Err(LocalModelError::Failed(
                "a vector has numbers that are none".to_owned(),
            )),
        }
    }

    fn forward(&self, texts: &[&Tokens]) -> candle_core::Result<Vec<Vec<f32>>> {
        let longest = texts.iter().map(|one| one.ids.len()).max().unwrap_or(0);
        let shape = (texts.len(), longest);
        let (mut ids, mut mask) = (Vec::new(), Vec::new());
        for text in texts {
            let padding = longest - text.ids.len();
            // The id of the padding does not matter: it is masked, and left out of the mean.
            ids.extend(
                text.ids
                    .iter()
                    .copied()
                    .chain(std::iter::repeat_n(0, padding)),
            );
            mask.extend(std::iter::repeat_n(1_f32, text.ids.len()));
            mask.extend(std::iter::repeat_n(0_f32, padding));
        }
        let ids = Tensor::from_vec(ids, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
        let hidden = self.bert.forward(&ids, &mask)?;
        // The mean of the tokens' states. Each text has the token `[CLS]`, so no count is zero.
        let counts = mask.sum_keepdim(1)?;
        let sums = hidden.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?;
        let means = sums.broadcast_div(&counts)?;
        let lengths = means.sqr()?.sum_keepdim(1)?.sqrt()?;
        means.broadcast_div(&lengths)?.to_vec2::<f32>()
    }
}

fn pool(name: &str) -> Result<ThreadPool, LocalModelError> {
    let name = name.to_owned();
    ThreadPoolBuilder::new()
        .num_threads(1)
        .thread_name(move |_| name.clone())
        .build()
        .map_err(|error| LocalModelError::Threads(error.to_string()))
}

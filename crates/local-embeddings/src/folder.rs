//! The folder of a model in the layout of sentence-transformers, and its validation.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The model's name, as its authors write it.
pub const MODEL_ID: &str = "all-MiniLM-L6-v2";
/// The length of its vectors.
pub const DIMENSIONS: u32 = 384;

/// The configuration of the network.
pub(crate) const CONFIG: &str = "config.json";
/// The vocabulary and the rules of tokenization.
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// The weights.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// The limit of tokens per text; the file of sentence-transformers, which may be missing.
pub(crate) const SENTENCES: &str = "sentence_bert_config.json";

/// The limit of tokens that sentence-transformers uses for this model where the folder has none.
const TOKENS_MAX: usize = 256;
/// The smallest limit of tokens: `[CLS]`, `[SEP]` and one token between them.
const TOKENS_MIN: usize = 3;

/// A folder that has the model's files.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFolder {
    path: PathBuf,
    config: Config,
    tokens_max: usize,
}

/// Why a folder is not that of the model. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file is missing.
    #[error(
        "{}: there is no {name}; run `nyxcore models pull`, which makes the folder anew", .folder.display()
    )]
    FileMissing {
        /// The folder.
        folder: PathBuf,
        /// The file.
        name: &'static str,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", .path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// The error message of the system.
        reason: String,
    },
    /// A file belongs to another kind of model.
    #[error(
        "{}: {reason}; the local model is all-MiniLM-L6-v2: run `nyxcore models pull`", .path.display()
    )]
    FileUnfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The configuration of the network, from `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Config {
    model_type: Option<String>,
    hidden_act: Option<String>,
    pub vocab_size: usize,
    pub hidden_size: u32,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f64,
}

#[derive(Deserialize)]
struct Sentences {
    max_seq_length: Option<usize>,
}

impl ModelFolder {
    /// Checks that the folder has the model's files, without reading the weights.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        for name in [CONFIG, TOKENIZER, WEIGHTS] {
            if !path.join(name).is_file() {
                return Err(FolderError::FileMissing { folder: path, name });
            }
        }
        let config: Config = read(&path.join(CONFIG))?;
        let unfit = |reason: String| FolderError::FileUnfit {
            path: path.join(CONFIG),
            reason,
        };
        let is_other =
            |name: &Option<String>, own: &str| name.as_ref().is_some_and(|name| name != own);
        if is_other(&config.model_type, "bert") || is_other(&config.hidden_act, "gelu") {
            let (kind, act) = (&config.model_type, &config.hidden_act);
            return Err(unfit(format!(
                "it is a model of another kind: {kind:?}, {act:?}"
            )));
        }
        if config.hidden_size != DIMENSIONS {
            let length = config.hidden_size;
            return Err(unfit(format!("its vectors have {length} numbers")));
        }
        let sentences = match path.join(SENTENCES) {
            file if file.is_file() => read::<Sentences>(&file)?.max_seq_length,
            _ => None,
        };
        let tokens_max = sentences.unwrap_or(TOKENS_MAX);
        let tokens_max = tokens_max.min(config.max_position_embeddings);
        if tokens_max < TOKENS_MIN {
            return Err(unfit(format!("it takes {tokens_max} tokens only")));
        }
        Ok(Self {
            path,
            config,
            tokens_max,
        })
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration of the network.
    #[cfg(feature = "inference")]
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// The most tokens of a text that are read; what follows is left out.
    #[must_use]
    pub const fn tokens_max(&self) -> usize {
        self.tokens_max
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, FolderError> {
    let unreadable = |error: io::Error| FolderError::FileUnreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let text = fs::read(path).map_err(unreadable)?;
    serde_json::from_slice(&text).map_err(|error| FolderError::FileUnfit {
        path: path.to_owned(),
        reason: format!("it is not as it should be: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"model_type": "bert", "hidden_act": "gelu", "vocab_size": 30522, "hidden_size": 384,
        "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536, "max_position_embeddings": 512,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12}"#;

    fn folder(config: &str, sentences: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [(CONFIG, config), (TOKENIZER, "{}"), (WEIGHTS, "")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        if let Some(text) = sentences {
            fs::write(folder.path().join(SENTENCES), text).unwrap();
        }
        folder
    }

    fn refusal(config: &str) -> String {
        let folder = folder(config, None);
        ModelFolder::open(folder.path()).unwrap_err().to_string()
    }

    #[test]
    fn the_folder_says_how_much_of_a_text_is_read() {
        let tokens = |sentences| {
            let folder = folder(GOOD, sentences);
            ModelFolder::open(folder.path()).unwrap().tokens_max()
        };
        assert_eq!(tokens(None), 256);
        assert_eq!(tokens(Some(r#"{"max_seq_length": 128}"#)), 128);
        assert_eq!(tokens(Some(r#"{"max_seq_length": 9000}"#)), 512);
    }

    #[test]
    fn another_model_is_refused_with_what_to_do() {
        let other = GOOD.replace("bert", "roberta");
        assert!(refusal(&other).contains("roberta"));
        assert!(refusal(&GOOD.replace("gelu", "relu")).contains("relu"));
        let long = refusal(&GOOD.replace("384", "768"));
        assert!(long.contains("768 numbers") && long.contains("nyxcore models pull"));
        assert!(refusal("{").contains("not as it should be"));
        assert!(refusal(&GOOD.replace("512", "2")).contains("2 tokens"));
    }
}

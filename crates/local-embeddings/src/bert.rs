//! The BERT encoder: token ids to hidden states, without a head for a task.
//!
//! It is implemented here, because candle's crate of models has 150 of them and takes minutes to build.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use candle_nn::{Embedding, LayerNorm, Linear, VarBuilder, embedding, layer_norm, linear};

use crate::folder::Config;

/// The amount subtracted from the attention scores of padding, so that nothing attends to it.
const MASKED: f64 = 1e9;

/// The network in memory.
pub(crate) struct Bert {
    words: Embedding,
    /// The position embeddings, each with the token type embedding of the first segment added: there is no second one.
    places: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    mixed: Linear,
    mixed_norm: LayerNorm,
    wide: Linear,
    narrow: Linear,
    norm: LayerNorm,
    heads: usize,
}

impl Bert {
    /// Loads the weights, by the names that Hugging Face's transformers give them.
    ///
    /// # Errors
    /// A tensor is missing or has another shape than `config` says.
    pub(crate) fn load(config: &Config, weights: &VarBuilder<'_>) -> Result<Self> {
        let width = config.hidden_size as usize;
        let part = weights.pp("embeddings");
        let table = |rows, name: &str| part.pp(name).get((rows, width), "weight");
        let places = table(config.max_position_embeddings, "position_embeddings")?;
        let kinds = table(config.type_vocab_size, "token_type_embeddings")?;
        let layers = (0..config.num_hidden_layers)
            .map(|n| Layer::load(config, &weights.pp(format!("encoder.layer.{n}"))));
        Ok(Self {
            words: embedding(config.vocab_size, width, part.pp("word_embeddings"))?,
            places: places.broadcast_add(&kinds.narrow(0, 0, 1)?)?,
            norm: layer_norm(width, config.layer_norm_eps, part.pp("LayerNorm"))?,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// The hidden states of texts: `ids` and `mask` have one row per text; the mask is 1 for tokens and 0 for padding.
    ///
    /// # Errors
    /// A text has more tokens than the network has position embeddings.
    pub(crate) fn forward(&self, ids: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let places = self.places.narrow(0, 0, ids.dim(1)?)?;
        let states = self.words.forward(ids)?.broadcast_add(&places)?;
        let mut states = self.norm.forward(&states)?;
        let mask = mask.affine(MASKED, -MASKED)?.unsqueeze(1)?.unsqueeze(1)?;
        for layer in &self.layers {
            states = layer.forward(&states, &mask)?;
        }
        Ok(states)
    }
}

impl Layer {
    fn load(config: &Config, weights: &VarBuilder<'_>) -> Result<Self> {
        let (width, wide) = (config.hidden_size as usize, config.intermediate_size);
        let dense = |from, to, name: &str| linear(from, to, weights.pp(name));
        let norm = |name: &str| layer_norm(width, config.layer_norm_eps, weights.pp(name));
        Ok(Self {
            query: dense(width, width, "attention.self.query")?,
            key: dense(width, width, "attention.self.key")?,
            value: dense(width, width, "attention.self.value")?,
            mixed: dense(width, width, "attention.output.dense")?,
            mixed_norm: norm("attention.output.LayerNorm")?,
            wide: dense(width, wide, "intermediate.dense")?,
            narrow: dense(wide, width, "output.dense")?,
            norm: norm("output.LayerNorm")?,
            heads: config.num_attention_heads,
        })
    }

    fn forward(&self, states: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let mixed = self.mixed.forward(&self.attend(states, mask)?)?;
        let states = self.mixed_norm.forward(&(mixed + states)?)?;
        let wide = self.wide.forward(&states)?.gelu_erf()?;
        let narrow = self.narrow.forward(&wide)?;
        self.norm.forward(&(narrow + states)?)
    }

    fn attend(&self, states: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (texts, length, width) = states.dims3()?;
        let of_head = width / self.heads;
        let split = |dense: &Linear| {
            let shape = (texts, length, self.heads, of_head);
            let all = dense.forward(states)?.reshape(shape)?;
            all.transpose(1, 2)?.contiguous()
        };
        let (query, key, value) = (split(&self.query)?, split(&self.key)?, split(&self.value)?);
        #[expect(clippy::cast_precision_loss, reason = "a head has a few dozen numbers")]
        let scale = 1.0 / (of_head as f64).sqrt();
        let scores = (query * scale)?.matmul(&key.transpose(D::Minus2, D::Minus1)?)?;
        let shares = softmax_last_dim(&scores.broadcast_add(mask)?)?;
        let mixed = shares.matmul(&value)?.transpose(1, 2)?;
        mixed.reshape((texts, length, width))
    }
}

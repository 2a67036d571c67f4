//! Reads `config.json` of a Marian model.

use std::path::Path;

use candle_nn::Activation;
use serde::Deserialize;

use crate::translation::TranslationError;

/// More tokens than any model has, more numbers in a row, and more positions. What is set aside for them is set
/// aside before the weights are looked at.
const MOST_TOKENS: usize = 1 << 20;
const MOST_WIDTH: usize = 1 << 13;
const MOST_POSITIONS: usize = 1 << 13;

/// What `config.json` tells about a Marian model, as Hugging Face Transformers writes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MarianConfig {
    model_type: String,
    vocab_size: usize,
    decoder_vocab_size: Option<usize>,
    d_model: usize,
    encoder_layers: usize,
    encoder_attention_heads: usize,
    encoder_ffn_dim: usize,
    decoder_layers: usize,
    decoder_attention_heads: usize,
    decoder_ffn_dim: usize,
    activation_function: Activation,
    max_position_embeddings: usize,
    #[serde(default)]
    scale_embedding: bool,
    #[serde(default = "shared")]
    share_encoder_decoder_embeddings: bool,
    #[serde(default)]
    normalize_before: bool,
    #[serde(default)]
    normalize_embedding: bool,
    pub(super) decoder_start_token_id: u32,
    pub(super) pad_token_id: u32,
    pub(super) eos_token_id: u32,
}

/// Transformers leaves the key out where the embeddings are shared.
fn shared() -> bool {
    true
}

impl MarianConfig {
    pub(super) fn read(folder: &Path) -> Result<Self, TranslationError> {
        let refuse = |reason| TranslationError::Load {
            path: folder.to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(folder.join("config.json"))
            .map_err(|error| refuse(format!("config.json: {error}")))?;
        let config: Self = serde_json::from_str(&text).map_err(|error| {
            refuse(format!(
                "config.json is not a Marian configuration: {error}"
            ))
        })?;
        config
            .check()
            .map_err(|reason| refuse(format!("config.json: {reason}")))?;
        Ok(config)
    }

    /// Refuses what the network would run wrongly or panic at.
    fn check(&self) -> Result<(), String> {
        if self.model_type != "marian" {
            return Err(format!("model_type is '{}', not 'marian'", self.model_type));
        }
        if self.normalize_before || self.normalize_embedding {
            return Err(
                "layer normalisation before the layers or of the embeddings is not supported; \
                 use an OPUS-MT model"
                    .to_owned(),
            );
        }
        if !self.share_encoder_decoder_embeddings || self.target_vocabulary() != self.vocab_size {
            return Err("separate source and target vocabularies are not supported".to_owned());
        }
        for (name, size, most) in [
            ("vocab_size", self.vocab_size, MOST_TOKENS),
            ("d_model", self.d_model, MOST_WIDTH),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                MOST_POSITIONS,
            ),
        ] {
            if size > most {
                return Err(format!(
                    "{name} is {size}, and no more than {most} is taken"
                ));
            }
        }
        for (name, heads) in [
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
        ] {
            if heads == 0 || !self.d_model.is_multiple_of(heads) {
                return Err(format!(
                    "{name} ({heads}) does not divide d_model ({})",
                    self.d_model
                ));
            }
        }
        for (name, id) in [
            ("decoder_start_token_id", self.decoder_start_token_id),
            ("pad_token_id", self.pad_token_id),
            ("eos_token_id", self.eos_token_id),
        ] {
            if id as usize >= self.vocab_size {
                return Err(format!(
                    "{name} ({id}) lies outside the {} tokens",
                    self.vocab_size
                ));
            }
        }
        if self.decoder_layers == 0 {
            return Err("decoder_layers is 0".to_owned());
        }
        if !self.d_model.is_multiple_of(2) {
            return Err(format!("d_model ({}) is odd", self.d_model));
        }
        if self.max_position_embeddings < 2 {
            return Err("max_position_embeddings is less than 2".to_owned());
        }
        Ok(())
    }

    fn target_vocabulary(&self) -> usize {
        self.decoder_vocab_size.unwrap_or(self.vocab_size)
    }

    /// Number of tokens of the shared vocabulary.
    pub(super) fn vocabulary(&self) -> usize {
        self.vocab_size
    }

    /// Width of the model: numbers in an embedding.
    pub(super) fn width(&self) -> usize {
        self.d_model
    }

    /// Most tokens a source or a target may have, the end of sentence included.
    pub(super) fn positions(&self) -> usize {
        self.max_position_embeddings
    }

    pub(super) fn activation(&self) -> Activation {
        self.activation_function
    }

    /// What embeddings are multiplied with.
    pub(super) fn embedding_scale(&self) -> f32 {
        if self.scale_embedding {
            (self.d_model as f32).sqrt()
        } else {
            1.0
        }
    }

    pub(super) fn encoder(&self) -> Layers {
        Layers {
            layers: self.encoder_layers,
            heads: self.encoder_attention_heads,
            inner: self.encoder_ffn_dim,
        }
    }

    pub(super) fn decoder(&self) -> Layers {
        Layers {
            layers: self.decoder_layers,
            heads: self.decoder_attention_heads,
            inner: self.decoder_ffn_dim,
        }
    }
}

/// The layers of one half of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layers {
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Width of the feed-forward part.
    pub(super) inner: usize,
}

#[cfg(test)]
pub(super) mod tests {
    use candle_transformers::models::marian;

    use super::*;

    impl MarianConfig {
        /// The same for candle-transformers, the reference.
        pub(in crate::translation::marian) fn for_candle(&self) -> marian::Config {
            marian::Config {
                vocab_size: self.vocab_size,
                decoder_vocab_size: self.decoder_vocab_size,
                max_position_embeddings: self.max_position_embeddings,
                encoder_layers: self.encoder_layers,
                encoder_ffn_dim: self.encoder_ffn_dim,
                encoder_attention_heads: self.encoder_attention_heads,
                decoder_layers: self.decoder_layers,
                decoder_ffn_dim: self.decoder_ffn_dim,
                decoder_attention_heads: self.decoder_attention_heads,
                use_cache: true,
                is_encoder_decoder: true,
                activation_function: self.activation_function,
                d_model: self.d_model,
                decoder_start_token_id: self.decoder_start_token_id,
                scale_embedding: self.scale_embedding,
                pad_token_id: self.pad_token_id,
                eos_token_id: self.eos_token_id,
                forced_eos_token_id: self.eos_token_id,
                share_encoder_decoder_embeddings: true,
            }
        }
    }

    fn opus() -> serde_json::Value {
        serde_json::json!({
            "model_type": "marian", "vocab_size": 59514, "decoder_vocab_size": 59514,
            "d_model": 512, "encoder_layers": 6, "encoder_attention_heads": 8,
            "encoder_ffn_dim": 2048, "decoder_layers": 6, "decoder_attention_heads": 8,
            "decoder_ffn_dim": 2048, "activation_function": "swish",
            "max_position_embeddings": 512, "scale_embedding": true,
            "share_encoder_decoder_embeddings": true, "decoder_start_token_id": 59513,
            "pad_token_id": 59513, "eos_token_id": 0, "forced_eos_token_id": 0
        })
    }

    fn read(config: &serde_json::Value) -> Result<MarianConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        MarianConfig::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_transformers_writes() {
        let config = read(&opus()).unwrap().for_candle();
        let preset = marian::Config::opus_mt_fr_en();
        assert_eq!(format!("{config:?}"), format!("{preset:?}"));
    }

    #[test]
    fn follows_the_file_instead_of_a_preset() {
        let mut big = opus();
        big["d_model"] = 1024.into();
        big["decoder_attention_heads"] = 16.into();
        big["activation_function"] = "relu".into();
        let config = read(&big).unwrap().for_candle();
        assert_eq!((config.d_model, config.decoder_attention_heads), (1024, 16));
        assert_eq!(config.activation_function, Activation::Relu);
    }

    #[test]
    fn refuses_what_would_run_wrongly_and_says_why() {
        for (key, value, expected) in [
            ("model_type", "bart".into(), "'bart'"),
            ("normalize_before", true.into(), "normalisation"),
            ("share_encoder_decoder_embeddings", false.into(), "separate"),
            ("decoder_vocab_size", 60_000.into(), "separate"),
            ("decoder_attention_heads", 7.into(), "does not divide"),
            ("encoder_attention_heads", 0.into(), "does not divide"),
            ("pad_token_id", 59_514.into(), "pad_token_id"),
            (
                "max_position_embeddings",
                (1_u64 << 62).into(),
                "no more than 8192",
            ),
            ("d_model", 1_000_000.into(), "no more than 8192"),
            ("activation_function", "telepathy".into(), "telepathy"),
        ] {
            let mut config = opus();
            config[key] = value;
            let message = read(&config).unwrap_err();
            assert!(message.contains(expected), "{key}: {message}");
        }
    }
}

//! Text to token numbers and back: SentencePiece pieces, looked up in `vocab.json` or numbered by
//! themselves.

use std::{collections::HashMap, path::Path, sync::Arc};

use sentencepiece_rs::{ModelType, SPACE_SYMBOL, SentencePieceProcessor};

use super::unigram::Unigram;
use crate::translation::TranslationError;

/// The piece of Marian vocabularies that stands for everything unknown.
const UNKNOWN: &str = "<unk>";

/// Tokens of one pair. The SentencePiece models cut text into pieces (and normalise it first,
/// `nmt_nfkc`); the numbers are shared by both sides.
pub(super) struct Tokens {
    source: Arc<Side>,
    /// Of a student the same as the source's: it is the larger part of what a student's tokens hold.
    target: Arc<Side>,
    /// None: a piece's number is its place in the model.
    ids: Option<HashMap<String, u32>>,
    pieces: Vec<String>,
    unknown: u32,
}

/// The pieces of one side.
struct Side {
    model: SentencePieceProcessor,
    /// None: the model is of another kind.
    unigram: Option<Unigram>,
}

impl Side {
    fn new(model: SentencePieceProcessor) -> Self {
        let is_unigram = model.model().model_type() == ModelType::Unigram;
        Self {
            unigram: is_unigram.then(|| Unigram::new(model.model())),
            model,
        }
    }

    /// The place of a piece in the model.
    fn number(&self, piece: &str) -> Option<u32> {
        let place = self.model.model().try_piece_to_id(piece)?;
        u32::try_from(place).ok()
    }

    fn pieces(&self, text: &str) -> Result<Vec<String>, TranslationError> {
        let pieces = match &self.unigram {
            Some(unigram) => {
                let normalised = self.model.normalize(text);
                normalised.map(|normalised| unigram.pieces(&normalised))
            }
            None => self.model.encode(text),
        };
        pieces.map_err(|error| TranslationError::Run(format!("text to pieces: {error}")))
    }
}

impl Tokens {
    /// Reads `source.spm`, `target.spm` and `vocab.json`, whose numbers must all be below `size`.
    pub(super) fn read(folder: &Path, size: usize) -> Result<Self, TranslationError> {
        let refuse = |reason| TranslationError::Load {
            path: folder.to_owned(),
            reason,
        };
        let pieces_of = |name: &str| {
            SentencePieceProcessor::open(folder.join(name))
                .map(|model| Arc::new(Side::new(model)))
                .map_err(|error| refuse(format!("{name} is not a SentencePiece model: {error}")))
        };
        let text = std::fs::read_to_string(folder.join("vocab.json"))
            .map_err(|error| refuse(format!("vocab.json: {error}")))?;
        let ids: HashMap<String, u32> = serde_json::from_str(&text).map_err(|error| {
            refuse(format!(
                "vocab.json does not map pieces to numbers: {error}"
            ))
        })?;
        let unknown = *ids
            .get(UNKNOWN)
            .ok_or_else(|| refuse(format!("vocab.json has no {UNKNOWN}")))?;
        let mut pieces = vec![String::new(); size];
        for (piece, &id) in &ids {
            let slot = pieces.get_mut(id as usize).ok_or_else(|| {
                refuse(format!(
                    "vocab.json numbers '{piece}' {id}, but config.json allows {size} tokens"
                ))
            })?;
            slot.clone_from(piece);
        }
        Ok(Self {
            source: pieces_of("source.spm")?,
            target: pieces_of("target.spm")?,
            ids: Some(ids),
            pieces,
            unknown,
        })
    }

    /// Reads `vocab.spm`, one model for both sides, whose pieces are numbered in its order and must be
    /// `size`.
    pub(super) fn read_shared(folder: &Path, size: usize) -> Result<Self, TranslationError> {
        let refuse = |reason: String| TranslationError::Load {
            path: folder.to_owned(),
            reason: format!("vocab.spm {reason}"),
        };
        let bytes = std::fs::read(folder.join("vocab.spm"))
            .map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let model = SentencePieceProcessor::from_serialized_model(&bytes)
            .map_err(|error| refuse(format!("is not a SentencePiece model: {error}")))?;
        let both = Arc::new(Side::new(model));
        let pieces: Vec<String> = both
            .model
            .model()
            .pieces()
            .iter()
            .map(|piece| piece.piece.clone())
            .collect();
        if pieces.len() != size {
            return Err(refuse(format!(
                "has {} pieces, but the model has {size} tokens",
                pieces.len()
            )));
        }
        let unknown = both
            .number(UNKNOWN)
            .ok_or_else(|| refuse(format!("has no {UNKNOWN}")))?;
        Ok(Self {
            source: Arc::clone(&both),
            target: both,
            ids: None,
            pieces,
            unknown,
        })
    }

    /// The number of the unknown piece.
    pub(super) fn unknown(&self) -> u32 {
        self.unknown
    }

    /// All pieces by number; empty where there is none.
    pub(super) fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Of each token, whether it is a piece of target text. The vocabulary holds those of source text
    /// too, which no translation in training had.
    pub(super) fn of_targets(&self) -> Vec<bool> {
        let mut of_targets = vec![false; self.pieces.len()];
        for piece in self.target.model.model().pieces() {
            if let Some(id) = self.number(&piece.piece) {
                of_targets[id as usize] = true;
            }
        }
        of_targets
    }

    /// Tokens that stand for a byte of a letter that no piece has: they are not text by themselves.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u32> {
        let numbered = (0..).zip(&self.pieces);
        numbered
            .filter(|(_, piece)| piece.len() == 6 && piece.starts_with("<0x"))
            .map(|(id, _)| id)
    }

    /// Source text as pieces, without the end of sentence. Empty where the text is blank.
    pub(super) fn source_pieces(&self, text: &str) -> Result<Vec<String>, TranslationError> {
        self.source.pieces(text)
    }

    /// How many pieces that begin a word a source text has, by its normalised form; 0 where it
    /// vanishes.
    pub(super) fn source_words(&self, text: &str) -> usize {
        self.source
            .model
            .normalize(text)
            .map_or(0, |text| text.matches(SPACE_SYMBOL).count())
    }

    /// Text of the target language as token numbers.
    pub(super) fn encode_target(&self, text: &str) -> Result<Vec<u32>, TranslationError> {
        Ok(self.numbers(&self.target.pieces(text)?))
    }

    /// The numbers of pieces.
    pub(super) fn numbers(&self, pieces: &[String]) -> Vec<u32> {
        pieces
            .iter()
            .map(|piece| self.number(piece).unwrap_or(self.unknown))
            .collect()
    }

    fn number(&self, piece: &str) -> Option<u32> {
        match &self.ids {
            Some(ids) => ids.get(piece).copied(),
            None => self.source.number(piece),
        }
    }

    /// The piece of a token.
    pub(super) fn piece(&self, token: u32) -> String {
        self.pieces.get(token as usize).cloned().unwrap_or_default()
    }

    /// Target tokens as text, trimmed.
    pub(super) fn decode_target(&self, tokens: &[u32]) -> Result<String, TranslationError> {
        let pieces: Vec<&str> = tokens
            .iter()
            .filter_map(|&id| self.pieces.get(id as usize))
            .map(String::as_str)
            .collect();
        let text = self
            .target
            .model
            .decode_pieces(&pieces)
            .map_err(|error| TranslationError::Run(format!("pieces to text: {error}")))?;
        Ok(text.trim().to_owned())
    }
}

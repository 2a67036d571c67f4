//! [`Recognizer`] on whisper.cpp.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use whisper_rs::{FullParams, WhisperError, WhisperState};

use super::{
    Recognition, RecognitionError, RecognitionRequest, Recognizer, WhisperModel,
    guard::{self, Doubt, Evidence},
    parameters,
    steering::Steering,
    stop::Stop,
    threads::{self, Threads},
    words::{self, Token},
};
use crate::{Language, SOURCE_SAMPLE_RATE};

/// Longest window, in samples.
const MAX_SAMPLES: usize = 30 * SOURCE_SAMPLE_RATE as usize;
/// Shorter windows are filled up with silence to this: whisper.cpp aborts the process when it must
/// align words in less than 160 ms.
const MIN_SAMPLES: usize = SOURCE_SAMPLE_RATE as usize;
/// Least encoder frames of a provisional run: over the first second or two of an utterance the decoder
/// goes astray most.
const LEAST_PROVISIONAL: usize = 272;
/// Samples of one encoder frame (20 ms).
const SAMPLES_PER_FRAME: usize = 320;
/// Sound that never rises above this (-80 dB of full scale) holds no speech.
const SILENCE_PEAK: f32 = 1e-4;

/// How a [`WhisperRecognizer`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhisperOptions {
    /// Threads for one recognition, at most; no more than the physical cores. Where other programs
    /// want the cores too, one is used.
    pub threads: u16,
    /// Encoder frames (20 ms) computed beyond the audio; `None` computes the whole 30 s. Time grows
    /// with the frames; too few make the decoder loop. See `docs/recognition.md`.
    pub margin: Option<u16>,
    /// The same for provisional runs, where it is not more; very short ones get more (`LEAST_PROVISIONAL`).
    /// One that goes astray is left out.
    pub provisional_margin: u16,
}

impl WhisperOptions {
    /// The measured best margin, on `threads` threads.
    #[must_use]
    pub fn new(threads: u16) -> Self {
        Self {
            threads,
            margin: Some(512),
            provisional_margin: 128,
        }
    }
}

/// How often the guards stepped in, since the recogniser was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GuardCounts {
    /// Provisional texts left out because the decoder went astray.
    pub left_out: u64,
    /// Windows recognised a second time with the whole audio context.
    pub retried: u64,
    /// Texts whose repetitions were cut off after the second time.
    pub repetitions_cut: u64,
    /// Texts dropped because nobody speaks.
    pub no_speech: u64,
}

/// Recognises with Whisper. Owns its working memory; the model is shared.
#[derive(Debug)]
pub struct WhisperRecognizer {
    model: WhisperModel,
    state: WhisperState,
    options: WhisperOptions,
    threads: Threads,
    counts: GuardCounts,
}

/// What one run of the model gave.
struct Decoding {
    /// The forced ones first.
    tokens: Vec<Token>,
    /// How many were forced.
    forced: usize,
    average_log_probability: f32,
    doubt: Option<Doubt>,
}

impl WhisperRecognizer {
    /// A recogniser with working memory of its own on a shared model.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(model: &WhisperModel, options: WhisperOptions) -> Result<Self, RecognitionError> {
        let state = model
            .context
            .create_state()
            .map_err(|_| RecognitionError::Run("no memory for another recogniser".to_owned()))?;
        Ok(Self {
            model: model.clone(),
            state,
            options,
            threads: Threads::new(options.threads),
            counts: GuardCounts::default(),
        })
    }

    /// How often the guards stepped in.
    #[must_use]
    pub fn guard_counts(&self) -> GuardCounts {
        self.counts
    }

    /// The language of `samples` among `languages` (all that the model knows, if there are none), and
    /// its probability among these.
    fn language(
        &mut self,
        samples: &[f32],
        request: &RecognitionRequest,
    ) -> Result<(Language, f32), RecognitionError> {
        if let [only] = request.languages[..] {
            return Ok((only, 1.0));
        }
        if !self.model.is_multilingual() {
            return english(&request.languages);
        }
        // With a duration of 100 ms whisper.cpp prepares the sound and takes over the audio context,
        // but runs neither encoder nor decoder; detection needs both prepared.
        let mut parameters = parameters::base(default_language(), self.options.threads);
        parameters.set_duration_ms(100);
        parameters.set_audio_ctx(self.audio_context(samples.len(), self.options.margin));
        self.run(parameters, samples, request.abort.as_ref())?;
        let (_, probabilities) = self
            .state
            .lang_detect(0, usize::from(self.threads.number()))
            .map_err(|error| failure(error, request.abort.as_ref()))?;
        pick(&request.languages, &probabilities)
    }

    /// Frames to encode for so many samples; 0 stands for all.
    fn audio_context(&self, samples: usize, margin: Option<u16>) -> i32 {
        let Some(margin) = margin else { return 0 };
        let frames = samples.div_ceil(SAMPLES_PER_FRAME) + usize::from(margin);
        i32::try_from(frames)
            .unwrap_or(i32::MAX)
            .min(self.model.header.audio_context)
    }

    fn decode(
        &mut self,
        samples: &[f32],
        language: Language,
        margin: Option<u16>,
        request: &RecognitionRequest,
    ) -> Result<Decoding, RecognitionError> {
        // A step on the way may go astray now and then; what is final may not.
        let margin = if request.provisional {
            let short = LEAST_PROVISIONAL.saturating_sub(samples.len() / SAMPLES_PER_FRAME);
            let least = u16::try_from(short).unwrap_or(0);
            margin.map(|frames| frames.min(self.options.provisional_margin.max(least)))
        } else {
            margin
        };
        let prompt = parameters::prompt(&self.model.context, &request.prompt);
        let seconds = request.samples.len() as f32 / SOURCE_SAMPLE_RATE as f32;
        let steering = Steering::new(
            &request.forced,
            request.provisional,
            self.model.context.token_eot(),
            self.model.context.n_vocab(),
        );
        let most_tokens = parameters::most_tokens(steering.forced() + guard::most_tokens(seconds));
        let mut parameters = parameters::base(language, self.options.threads);
        parameters.set_audio_ctx(self.audio_context(samples.len(), margin));
        parameters.set_max_tokens(most_tokens);
        if !prompt.is_empty() {
            parameters.set_tokens(&prompt);
        }
        #[expect(unsafe_code, reason = "whisper-rs has no safe form")]
        // SAFETY: `steering` lives until the end of this function, after the run.
        unsafe {
            steering.apply(&mut parameters);
        }
        self.run(parameters, samples, request.abort.as_ref())?;
        Ok(self.read(most_tokens, steering.forced(), request.provisional))
    }

    /// Runs the model, on as many threads as suit the machine now.
    fn run(
        &mut self,
        mut parameters: FullParams<'_, '_>,
        samples: &[f32],
        abort: Option<&Arc<AtomicBool>>,
    ) -> Result<(), RecognitionError> {
        loop {
            parameters.set_n_threads(i32::from(self.threads.number()));
            let stop = Stop::new(abort, self.threads.give_up_at());
            #[expect(unsafe_code, reason = "whisper-rs has no sound form")]
            // SAFETY: `stop` lives until the end of this turn of the loop, after the run.
            unsafe {
                stop.apply(&mut parameters);
            }
            let (begun, waited) = (Instant::now(), threads::waited_for_core());
            let outcome = self.state.full(parameters.clone(), samples);
            if stop.gave_up() {
                tracing::debug!("a run was given up: other programs want the cores");
                self.threads.gave_up();
                continue;
            }
            let waited = threads::waited_for_core().saturating_sub(waited);
            self.threads.ran(begun.elapsed(), waited);
            return outcome.map_err(|error| failure(error, abort));
        }
    }

    /// Reads the text tokens of the last run.
    fn read(&self, most_tokens: i32, forced: usize, provisional: bool) -> Decoding {
        let end_of_text = self.model.context.token_eot();
        let mut tokens = Vec::new();
        let (mut sum, mut count) = (0.0, 0_usize);
        for segment in self.state.as_iter() {
            for token in (0..segment.n_tokens()).filter_map(|at| segment.get_token(at)) {
                let data = token.token_data();
                if count >= forced {
                    sum += data.plog;
                }
                count += 1;
                if data.id >= end_of_text {
                    continue;
                }
                tokens.push(Token {
                    id: data.id,
                    bytes: token.to_bytes().unwrap_or_default().to_vec(),
                    probability: data.p,
                    end_ms: u32::try_from(data.t_dtw * 10).unwrap_or(0),
                });
            }
        }
        let free = count.saturating_sub(forced);
        let average_log_probability = if free == 0 { 0.0 } else { sum / free as f32 };
        let forced = forced.min(tokens.len());
        let ids: Vec<i32> = tokens.iter().map(|token| token.id).collect();
        let bytes: Vec<u8> = tokens[forced..]
            .iter()
            .flat_map(|token| token.bytes.clone())
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        let doubt = guard::doubt(&Evidence {
            tokens: &ids,
            provisional,
            exhausted: i32::try_from(count).is_ok_and(|count| count > most_tokens),
            forced,
            has_words: text.chars().any(char::is_alphanumeric),
            average_log_probability,
        });
        Decoding {
            tokens,
            forced,
            average_log_probability,
            doubt,
        }
    }

    /// Recognises, and again with the whole audio context where the decoder went astray.
    fn decode_guarded(
        &mut self,
        samples: &[f32],
        language: Language,
        request: &RecognitionRequest,
    ) -> Result<Decoding, RecognitionError> {
        let astray = |decoding: &Decoding| {
            matches!(decoding.doubt, Some(Doubt::Repetition | Doubt::TooFast))
        };
        let mut decoding = self.decode(samples, language, self.options.margin, request)?;
        if astray(&decoding) && request.provisional {
            self.counts.left_out += 1;
            decoding.tokens.truncate(decoding.forced);
            return Ok(decoding);
        }
        if astray(&decoding) && self.options.margin.is_some() {
            self.counts.retried += 1;
            tracing::debug!(doubt = ?decoding.doubt, "recognising again with the whole context");
            decoding = self.decode(samples, language, None, request)?;
        }
        match decoding.doubt {
            Some(Doubt::NoSpeech) => {
                self.counts.no_speech += 1;
                decoding.tokens.truncate(decoding.forced);
            }
            Some(Doubt::Repetition) => {
                self.counts.repetitions_cut += 1;
                let ids: Vec<i32> = decoding.tokens.iter().map(|token| token.id).collect();
                if let Some((at, period)) = guard::loop_at(&ids) {
                    decoding.tokens.truncate((at + period).max(decoding.forced));
                }
            }
            Some(Doubt::TooFast | Doubt::Unsure) | None => {}
        }
        Ok(decoding)
    }
}

impl Recognizer for WhisperRecognizer {
    fn recognize(&mut self, request: &RecognitionRequest) -> Result<Recognition, RecognitionError> {
        if request.samples.len() > MAX_SAMPLES {
            return Err(RecognitionError::Run(format!(
                "the window is {} s long, 30 s is the most",
                request.samples.len() / SOURCE_SAMPLE_RATE as usize
            )));
        }
        let loud = |sample: &f32| sample.is_finite() && sample.abs() > SILENCE_PEAK;
        if !request.samples.iter().any(loud) {
            return Ok(silence(request));
        }
        let mut samples: Vec<f32> = request
            .samples
            .iter()
            .map(|sample| if sample.is_finite() { *sample } else { 0.0 })
            .collect();
        samples.resize(samples.len().max(MIN_SAMPLES), 0.0);
        let (language, language_probability) = self.language(&samples, request)?;
        let decoding = self.decode_guarded(&samples, language, request)?;
        let window_ms = (request.samples.len() * 1000 / SOURCE_SAMPLE_RATE as usize) as u32;
        let (forced, free) = decoding.tokens.split_at(decoding.forced);
        let begin_ms = forced.last().map_or(0, |token| token.end_ms);
        let words = words::words(free, language.code(), begin_ms, window_ms);
        Ok(Recognition {
            language,
            language_probability,
            text: words::text(&words),
            words,
            average_log_probability: decoding.average_log_probability,
        })
    }
}

/// What there is to say of a window without sound.
fn silence(request: &RecognitionRequest) -> Recognition {
    Recognition {
        language: request
            .languages
            .first()
            .copied()
            .unwrap_or(default_language()),
        language_probability: 1.0 / request.languages.len().max(1) as f32,
        text: String::new(),
        words: Vec::new(),
        average_log_probability: 0.0,
    }
}

fn default_language() -> Language {
    Language::ENGLISH
}

fn english(languages: &[Language]) -> Result<(Language, f32), RecognitionError> {
    if languages.is_empty() || languages.contains(&Language::ENGLISH) {
        return Ok((Language::ENGLISH, 1.0));
    }
    Err(RecognitionError::Run(
        "this model knows English only; choose a multilingual one such as base".to_owned(),
    ))
}

/// The likeliest of `languages` (of all known, if there are none).
fn pick(
    languages: &[Language],
    probabilities: &[f32],
) -> Result<(Language, f32), RecognitionError> {
    let probability = |language: Language| {
        let id = whisper_rs::get_lang_id(language.code())?;
        let probability = *probabilities.get(usize::try_from(id).ok()?)?;
        Some((language, probability))
    };
    let known: Vec<(Language, f32)> = if languages.is_empty() {
        Language::all().filter_map(probability).collect()
    } else {
        languages.iter().copied().filter_map(probability).collect()
    };
    let sum: f32 = known.iter().map(|(_, probability)| probability).sum();
    known
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(language, probability)| (language, probability / sum.max(f32::MIN_POSITIVE)))
        .ok_or_else(|| {
            RecognitionError::Run("the model knows none of the languages asked for".to_owned())
        })
}

fn failure(error: WhisperError, abort: Option<&Arc<AtomicBool>>) -> RecognitionError {
    if abort.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
        RecognitionError::Aborted
    } else {
        RecognitionError::Run(format!("whisper.cpp: {error}"))
    }
}

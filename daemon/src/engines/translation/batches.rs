//! Sentences that wait at the same time for the same first model are translated together: in several languages, what
//! leads through English is then translated into English once.
//!
//! Nobody waits for a batch to fill: whoever comes while the engine is free is translated at once, alone,
//! and what comes in the meantime makes the next batch. Each translation is told as soon as it is there,
//! not when the longest of its batch is.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Instant,
};

use interpret_models::{
    LanguagePair,
    translation::{
        MarianTranslator, Translation, TranslationError, TranslationRequest,
        relay::{self, Errand},
    },
};
use tokio::sync::{mpsc, oneshot};

use super::super::{
    EngineError, LoadMeter, Timing,
    turns::{Rank, Turns},
};
use crate::{admin::measure, telemetry::traces};

/// Sentences translated together. More would make each of them wait longer than it gains.
const MOST_AT_ONCE: usize = 16;
/// Requests that may wait; beyond, senders wait.
const QUEUE_CAPACITY: usize = 256;

/// The models that are loaded; a pair through English uses those of its halves.
type Models = HashMap<LanguagePair, MarianTranslator>;
/// The pairs whose models translate a pair, in order.
pub(super) type Halves = Vec<LanguagePair>;

/// What became of a sentence.
type Answer = Result<(Result<Translation, TranslationError>, Timing), EngineError>;

/// A handle to the translating thread; cheap to clone. The thread ends with the last handle.
#[derive(Clone)]
pub(super) struct Batches {
    name: &'static str,
    queue: mpsc::Sender<Message>,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}

enum Message {
    /// Models that are loaded.
    Models(Vec<(LanguagePair, MarianTranslator)>),
    Sentence(Waiting),
}

/// A sentence that waits to be translated.
struct Waiting {
    halves: Halves,
    request: TranslationRequest,
    asked: Instant,
    answer: oneshot::Sender<Answer>,
}

impl Batches {
    /// # Errors
    /// When the system refuses another thread.
    pub(super) fn spawn(
        name: &'static str,
        turns: Option<(Turns, Rank)>,
        load: LoadMeter,
    ) -> std::io::Result<Self> {
        let (queue, requests) = mpsc::channel(QUEUE_CAPACITY);
        let desk = Desk {
            name,
            turns,
            load,
            requests,
            models: Models::new(),
            waiting: VecDeque::new(),
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || desk.run())?;
        Ok(Self { name, queue })
    }

    /// Adds models. Sentences that are asked for later find them.
    pub(super) async fn add(
        &self,
        models: Vec<(LanguagePair, MarianTranslator)>,
    ) -> Result<(), EngineError> {
        let sent = self.queue.send(Message::Models(models)).await;
        sent.map_err(|_| EngineError::Stopped(self.name))
    }

    /// Translates a sentence with the models of `halves`. When the returned future is dropped before
    /// the engine has begun, it is not translated.
    pub(super) async fn translate(&self, halves: Halves, request: TranslationRequest) -> Answer {
        let span = traces::model(self.name);
        let _queued = measure::queued(self.name);
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            halves,
            request,
            asked: Instant::now(),
            answer,
        };
        let sent = self.queue.send(Message::Sentence(waiting)).await;
        sent.map_err(|_| EngineError::Stopped(self.name))?;
        let answer = answered
            .await
            .unwrap_or(Err(EngineError::Stopped(self.name)));
        if let Ok((_, timing)) = &answer {
            traces::ran(&span, *timing);
        }
        answer
    }
}

/// What the thread owns.
struct Desk {
    name: &'static str,
    turns: Option<(Turns, Rank)>,
    load: LoadMeter,
    requests: mpsc::Receiver<Message>,
    models: Models,
    /// As many at most as there are sessions and targets: each asks for one at a time.
    waiting: VecDeque<Waiting>,
}

impl Desk {
    fn run(mut self) {
        loop {
            if self.waiting.is_empty() {
                match self.requests.blocking_recv() {
                    Some(message) => self.take(message),
                    None => return,
                }
            }
            if self.waiting.is_empty() {
                continue;
            }
            let turns = self.turns.clone();
            // Others may have come meanwhile.
            let _turn = turns.map(|(turns, rank)| turns.take(rank));
            while let Ok(message) = self.requests.try_recv() {
                self.take(message);
            }
            let batch = self.batch();
            if !batch.is_empty() {
                self.translate(batch);
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Models(models) => self.models.extend(models),
            Message::Sentence(sentence) => self.waiting.push_back(sentence),
        }
    }

    /// Takes the sentence that waits longest and others for the same first model, but none that nobody
    /// waits for any more.
    fn batch(&mut self) -> Vec<Waiting> {
        self.waiting.retain(|sentence| !sentence.answer.is_closed());
        let Some(first) = self.waiting.pop_front() else {
            return Vec::new();
        };
        let mut batch = vec![first];
        let mut others = VecDeque::with_capacity(self.waiting.len());
        for sentence in self.waiting.drain(..) {
            if batch.len() < MOST_AT_ONCE && sentence.halves.first() == batch[0].halves.first() {
                batch.push(sentence);
            } else {
                others.push_back(sentence);
            }
        }
        self.waiting = others;
        batch
    }

    fn translate(&mut self, batch: Vec<Waiting>) {
        let begun = Instant::now();
        let count = batch.len();
        let longest = begun - batch[0].asked;
        let mut errands = Vec::with_capacity(count);
        let mut askers = Vec::with_capacity(count);
        for sentence in batch {
            errands.push(Errand {
                route: sentence.halves,
                request: sentence.request,
            });
            askers.push(Some((sentence.asked, sentence.answer)));
        }
        let mut tell = |index: usize, translation| {
            if let Some((asked, answer)) = askers.get_mut(index).and_then(Option::take) {
                let timing = Timing {
                    waited: begun - asked,
                    // The engine ran for all of them.
                    busy: begun.elapsed() / u32::try_from(count).unwrap_or(u32::MAX),
                };
                // The asker may have gone meanwhile: nobody is left to tell.
                drop(answer.send(Ok((translation, timing))));
            }
        };
        // Models keep nothing between requests, so what a panic left half done is not seen by the next.
        let translated = catch_unwind(AssertUnwindSafe(|| {
            relay::translate_all(&mut self.models, &errands, &mut tell);
        }));
        let timing = Timing {
            waited: longest,
            busy: begun.elapsed(),
        };
        measure::engine_ran(self.name, timing);
        self.load.worked(self.name, timing.busy);
        measure::translated_together(count);
        if translated.is_err() {
            for (_, answer) in askers.into_iter().flatten() {
                drop(answer.send(Err(EngineError::Panicked(self.name))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> (mpsc::Sender<Message>, Desk) {
        let (queue, requests) = mpsc::channel(QUEUE_CAPACITY);
        let desk = Desk {
            load: LoadMeter::new(false),
            name: "desk",
            turns: None,
            requests,
            models: Models::new(),
            waiting: VecDeque::new(),
        };
        (queue, desk)
    }

    fn sentence(pair: &str, source: &str) -> (Waiting, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            halves: vec![pair.parse().unwrap()],
            request: TranslationRequest {
                source: source.to_owned(),
                ..TranslationRequest::default()
            },
            asked: Instant::now(),
            answer,
        };
        (waiting, answered)
    }

    fn sources(batch: &[Waiting]) -> Vec<&str> {
        batch.iter().map(|s| s.request.source.as_str()).collect()
    }

    #[test]
    fn a_batch_is_of_one_first_model_and_in_order_and_leaves_out_who_is_gone() {
        let (_queue, mut desk) = desk();
        let mut kept = Vec::new();
        for (pair, source) in [
            ("fr-en", "a"),
            ("en-fr", "b"),
            ("fr-en", "c"),
            ("fr-en", "gone"),
        ] {
            let (waiting, answered) = sentence(pair, source);
            desk.take(Message::Sentence(waiting));
            kept.push(answered);
        }
        kept.pop();
        assert_eq!(sources(&desk.batch()), ["a", "c"]);
        assert_eq!(sources(&desk.batch()), ["b"]);
        assert!(desk.batch().is_empty());
    }

    #[test]
    fn a_batch_has_an_end() {
        let (_queue, mut desk) = desk();
        let mut kept = Vec::new();
        for number in 0..MOST_AT_ONCE + 1 {
            let (waiting, answered) = sentence("fr-en", &number.to_string());
            desk.take(Message::Sentence(waiting));
            kept.push(answered);
        }
        assert_eq!(desk.batch().len(), MOST_AT_ONCE);
        assert_eq!(desk.batch().len(), 1);
    }

    #[tokio::test]
    async fn a_pair_without_a_model_is_told() {
        let batches = Batches::spawn("nothing", None, LoadMeter::new(false)).unwrap();
        let (waiting, _) = sentence("fr-en", "Bonjour.");
        let answer = batches.translate(waiting.halves, waiting.request).await;
        assert!(answer.unwrap().0.is_err());
    }
}

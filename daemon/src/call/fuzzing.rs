//! What the fuzz targets (docs/fuzzing.md) and tests ask of calls and nobody else may: a call without models, and
//! its parts by themselves.

use std::{sync::Arc, time::Duration};

use interpret_proto::v1::{CallConfig, CallRequest, CallResponse};
use tokio::sync::mpsc;
use tonic::Status;

use super::{
    CallSpec,
    desk::{Desk, floors},
    dtmf::DtmfDetector,
    ear::{Clause, Ear},
    leg::Leg,
};
use crate::{
    access::Caller,
    config::Sessions,
    engines::Engines,
    pipeline::{Event, Input, SourceRange},
    session::Outputs,
};

/// A client that reads nothing for so long is given up.
const UNREAD: Duration = Duration::from_secs(30);

/// What happens in a call.
#[derive(Debug)]
pub enum Step {
    /// Its client sends something.
    Request(CallRequest),
    /// The pipeline of a leg tells something.
    Event(usize, Event),
}

/// Serves a call to its end, or to its first error: everything its client is sent, and how it ended.
///
/// # Errors
/// When the configuration makes no sense.
pub async fn serve(
    engines: &Engines,
    config: &CallConfig,
    steps: impl Iterator<Item = Step>,
) -> Result<(Vec<CallResponse>, Result<(), Status>), Status> {
    let (mut desk, [mut first_pieces, mut second_pieces], mut sent) = desk(engines, config)?;
    let work = async move {
        for step in steps {
            match step {
                Step::Request(request) => desk.take(request).await?,
                Step::Event(leg, event) => desk.tell(leg, event).await?,
            }
        }
        desk.finish().await?;
        desk.play_rest().await
    };
    let read = async {
        let mut all = Vec::new();
        while let Some(response) = sent.recv().await {
            all.extend(response);
        }
        all
    };
    // The pipelines take what they are given.
    let hear = async {
        while first_pieces.recv().await.is_some() {}
        while second_pieces.recv().await.is_some() {}
    };
    let (end, all, ()) = tokio::join!(work, read, hear);
    Ok((all, end))
}

/// A call's desk, what goes to the pipelines of its legs, and what its client is sent.
pub(super) type WithoutPipelines = (
    Desk,
    [mpsc::Receiver<Input>; 2],
    mpsc::Receiver<Result<CallResponse, Status>>,
);

/// The desk of a call to which nobody listens yet.
pub(super) fn desk(engines: &Engines, config: &CallConfig) -> Result<WithoutPipelines, Status> {
    let spec = CallSpec::resolve(config, engines, &Sessions::default())?;
    let (first, first_pieces) = Leg::new(&spec.legs[0])?;
    let (second, second_pieces) = Leg::new(&spec.legs[1])?;
    let (responses, sent) = mpsc::channel(1);
    let legs = [first, second];
    let desk = Desk {
        floors: floors(&legs)?,
        key_until_ms: [0; 2],
        specs: spec.legs.each_ref().map(|leg| leg.session.clone()),
        legs,
        outputs: [0, 1].map(|leg| Outputs::new(&spec.legs[leg].session)),
        unread: UNREAD,
        admission: Arc::new(Caller::default().admit(2)?),
        responses,
    };
    Ok((desk, [first_pieces, second_pieces], sent))
}

/// Finds keys in sound.
#[derive(Debug)]
pub struct Keys(DtmfDetector);

impl Keys {
    /// In sound of so many samples a second.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        Self(DtmfDetector::new(sample_rate_hz))
    }

    /// Keys that were pressed in this sound.
    pub fn push(&mut self, samples: &[f32]) -> Vec<char> {
        self.0.push(samples)
    }

    /// The key that may be pressed now.
    #[must_use]
    pub fn current(&self) -> Option<char> {
        self.0.current()
    }
}

/// One side's ear, whose clauses are known by number.
#[derive(Debug)]
pub struct NumberedEar(Ear);

impl NumberedEar {
    /// An ear of so many samples a second, which hears the other side's own voice so loud.
    #[must_use]
    pub fn new(sample_rate_hz: u32, original: f32, comfort: bool) -> Self {
        Self(Ear::new(sample_rate_hz, original, comfort))
    }

    /// Takes clause `number`; the numbers of those that are left out.
    pub fn speak(&mut self, number: u64, samples: Vec<f32>) -> Vec<u64> {
        numbers(&self.0.speak(Clause {
            samples,
            text: number.to_string(),
            sentence: number,
            range: SourceRange::default(),
        }))
    }

    /// Takes the other side's own voice.
    pub fn overhear(&mut self, samples: &[f32], in_full: bool) {
        self.0.overhear(samples, in_full);
    }

    /// This side speaks, or has stopped.
    pub fn interrupt(&mut self, speaks: bool) {
        self.0.interrupt(speaks);
    }

    /// Says whether the other side is being interpreted.
    pub fn expect(&mut self, interpreted: bool) {
        self.0.expect(interpreted);
    }

    /// Leaves out what was not heard; the numbers of clauses of which nothing was.
    pub fn stop(&mut self) -> Vec<u64> {
        numbers(&self.0.stop())
    }

    /// Whether a translation is being heard.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        self.0.is_speaking()
    }

    /// The next samples, and the numbers of clauses that begin in them.
    pub fn hear(&mut self, samples: usize) -> (Vec<f32>, Vec<u64>) {
        let (sound, begun) = self.0.hear(samples);
        (sound, begun.iter().map(|clause| clause.sentence).collect())
    }
}

fn numbers(clauses: &[Clause]) -> Vec<u64> {
    clauses.iter().map(|clause| clause.sentence).collect()
}

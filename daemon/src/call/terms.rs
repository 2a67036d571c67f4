//! The glossary and the hot words of a call, changed while it lasts.

use interpret_proto::v1::{self, interpret_response::Response};
use tonic::Status;

use super::desk::Desk;
use crate::{
    pipeline::Input,
    session::{Changed, Refusal, refused},
};

impl Desk {
    /// Replaces the terms of both legs or, where that cannot be, of neither. Tells either for each leg.
    pub(super) async fn set_terms(&mut self, terms: &v1::SetGlossary) -> Result<(), Status> {
        let refusal = self.try_set_terms(terms).err();
        for leg in 0..2 {
            let now_ms = self.legs[leg].now_ms();
            let response = match &refusal {
                None => {
                    let changed = Changed::of(&self.specs[leg]);
                    let message = changed.message(now_ms);
                    self.outputs[leg].change(changed.targets, &changed.hot_words);
                    Response::SessionChanged(message)
                }
                Some(refusal) => Response::Notice(refused(refusal, now_ms)),
            };
            self.tell_response(leg, response).await?;
        }
        Ok(())
    }

    fn try_set_terms(&mut self, terms: &v1::SetGlossary) -> Result<(), Refusal> {
        let mut specs = self.specs.clone();
        let [first, second] = &mut specs;
        let changes = [
            first.set_terms(terms.clone())?,
            second.set_terms(terms.clone())?,
        ];
        let places = self.legs.each_ref().map(|leg| leg.place_for_change());
        let [Some(first), Some(second)] = places else {
            return Err(Refusal::Full(
                "too much waits to be recognised to change the glossary now; try again in some seconds"
                    .to_owned(),
            ));
        };
        for (place, change) in [first, second].into_iter().zip(changes) {
            place.send(Input::Change(change));
        }
        self.specs = specs;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::{CallConfig, CallLeg, SetGlossary, call_response};

    use super::{super::fuzzing::desk, *};
    use crate::engines::fuzzing::silent;

    /// Glossaries may be large: far fewer may wait than pieces of audio.
    #[tokio::test]
    async fn changes_are_refused_while_many_wait() {
        let cache = tempfile::tempdir().unwrap();
        let engines = silent(cache.path()).unwrap();
        let leg = |language: &str| CallLeg {
            language: language.to_owned(),
            audio_format: Some(v1::AudioFormat {
                encoding: v1::AudioEncoding::Mulaw.into(),
                sample_rate_hz: 8_000,
                channels: 1,
            }),
            ..CallLeg::default()
        };
        let config = CallConfig {
            legs: vec![leg("fr"), leg("en")],
            ..CallConfig::default()
        };
        let (mut desk, mut waiting, mut sent) = desk(&engines, &config).unwrap();
        let change = async move {
            for _ in 0..100 {
                desk.set_terms(&SetGlossary::default()).await.unwrap();
            }
            // One side's recognition catches up: that is not enough, for they change together.
            while waiting[0].try_recv().is_ok() {}
            desk.set_terms(&SetGlossary::default()).await.unwrap();
            assert!(
                waiting[0].try_recv().is_err(),
                "one side alone is not changed"
            );
            while waiting[1].try_recv().is_ok() {}
            desk.set_terms(&SetGlossary::default()).await.unwrap();
            waiting.each_mut().map(|inputs| inputs.try_recv().is_ok())
        };
        let read = async {
            let mut answers = Vec::new();
            while let Some(response) = sent.recv().await {
                let Some(call_response::Response::Event(event)) = response.unwrap().response else {
                    panic!("an event of a leg");
                };
                answers.extend(event.event.and_then(|event| event.response));
            }
            answers
        };
        let (changed_again, answers) = tokio::join!(change, read);
        assert_eq!(changed_again, [true, true]);
        let changed: Vec<bool> = answers
            .iter()
            .map(|answer| match answer {
                Response::SessionChanged(_) => true,
                Response::Notice(_) => false,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(changed.len(), 2 * 102, "each is answered, for each leg");
        assert!(changed[..50].iter().all(|changed| *changed));
        assert!(changed[50..202].iter().all(|changed| !*changed));
        assert_eq!(changed[202..], [true, true]);
    }
}

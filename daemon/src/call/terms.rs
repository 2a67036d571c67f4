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

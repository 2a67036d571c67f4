//! The configuration, the file of tokens, a person's own catalogue: refused with words, or taken; and
//! whatever is taken can be used.

use std::{collections::BTreeMap, path::Path, time::Instant};

use figment::providers::Serialized;
use interpret_models::catalogue::Catalogue;
use interpretd::{access::Tokens, config};

use crate::{Input, Scratch};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 3;
    let bytes = input.rest();
    let folder = Scratch::new();
    match kind {
        0 => configuration(&folder.put("interpretd.toml", bytes)),
        1 => {
            if let Err(error) = Tokens::read(&folder.put("tokens.toml", bytes)) {
                assert!(!error.to_string().is_empty());
            }
        }
        _ => {
            let Ok(text) = str::from_utf8(bytes) else {
                return;
            };
            let mut catalogue = Catalogue::built_in().expect("our own");
            let before = catalogue.models().count();
            if catalogue.extend(text, Path::new("models.toml")).is_err() {
                assert_eq!(catalogue.models().count(), before, "all of it or nothing");
            }
        }
    }
}

fn configuration(path: &Path) {
    let no_flags = Serialized::globals(BTreeMap::<String, String>::new());
    let Ok(config) = config::load(Some(path), no_flags) else {
        return;
    };
    let sessions = &config.sessions;
    let now = Instant::now();
    for time in [
        sessions.unread_timeout(),
        sessions.heartbeat(),
        sessions.linger(),
        sessions.drain(),
    ] {
        assert!(
            now.checked_add(time).is_some(),
            "{time:?} from now is no time"
        );
    }
    sessions.endpoint().validate().expect("it was checked");
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    let digest = "0a".repeat(32);
    let token = format!(
        "[[token]]\nname = \"desk\"\nsha256 = \"{digest}\"\nsessions = 2\nminutes_per_day = 60\nexpires = \"2027-01-31T00:00:00Z\"\n"
    );
    let model = format!(
        "[[model]]\nname = \"own\"\nkind = \"recognition\"\nlanguages = \"multilingual\"\nlicence = \"MIT\"\nattribution = \"me\"\n\
         [[model.file]]\nrole = \"weights\"\npath = \"model.bin\"\nsize = 3\nsha256 = \"{digest}\"\nsources = [\"hf:a/b/model.bin\"]\n"
    );
    let sessions = "[sessions]\nmax = 3\nunread_timeout_secs = 30\nheartbeat_secs = 15\nlinger_secs = 0\ndrain_secs = 20\nmax_utterance_secs = 14.0\npressure_limit = 0.9\n";
    vec![
        seed(0, include_str!("../../../packaging/interpretd.toml")),
        seed(0, sessions),
        seed(1, &token),
        seed(2, &model),
    ]
}

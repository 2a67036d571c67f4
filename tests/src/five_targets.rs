//! One French speaker in a room, interpreted into five languages: English, spoken, and four more as captions, which
//! all go through English. Of three of these no model can be fetched here, so another one stands in for each
//! ([`ModelCache::stand_in`]).

use anyhow::Result;
use interpret::session::{Config, Source, Target};

use crate::{daemon_process::DaemonProcess, model_cache::ModelCache};

/// Languages that are only written.
pub const WRITTEN: [&str; 4] = ["pt", "es", "it", "de"];

/// A daemon with all models loaded and an admin port, and its cache.
///
/// # Errors
/// When it does not start.
pub async fn daemon() -> Result<(DaemonProcess, ModelCache)> {
    let cache = ModelCache::linked()?;
    let catalogue = cache.stand_in(&WRITTEN[1..])?;
    let wrapper = [
        "env".to_owned(),
        format!("INTERPRETD_CACHE_DIR={}", cache.path().display()),
        format!("INTERPRETD_CATALOGUE={}", catalogue.display()),
    ];
    let preload = "fr-en,fr-pt,fr-es,fr-it,fr-de";
    let flags = ["--preload", preload, "--admin", "127.0.0.1:0"];
    let daemon = DaemonProcess::ready_under(&wrapper, &flags).await?;
    Ok((daemon, cache))
}

/// The speaker's session, in a room.
///
/// # Errors
/// None: all of these are codes of languages.
pub fn config(room: &str) -> Result<Config> {
    let mut config =
        Config::new(Source::Language("fr".parse()?)).target(Target::new("en".parse()?));
    for language in WRITTEN {
        config = config.target(Target::new(language.parse()?).captions_only());
    }
    Ok(config.room(room))
}

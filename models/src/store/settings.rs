//! What the environment says about models.

use std::{env, path::PathBuf};

use etcetera::BaseStrategy;

use crate::error::ModelError;

/// Where models are kept and where they may come from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The cache folder. `INTERPRETD_CACHE_DIR`, else "interpretd" in the XDG cache folder.
    pub cache: PathBuf,
    /// A person's own catalogue; need not exist. `INTERPRETD_CATALOGUE`, else
    /// "interpretd/models.toml" in the XDG configuration folder.
    pub catalogue: Option<PathBuf>,
    /// A folder or http(s) address that holds MODEL/FILE; tried first. `INTERPRETD_MIRROR`. The
    /// `models` folder of another machine's cache is one.
    pub mirror: Option<String>,
    /// The public model hub.
    pub hub: Hub,
    /// An ONNX Runtime library to use instead of the catalogue's. `ORT_DYLIB_PATH`.
    pub onnx_runtime: Option<PathBuf>,
}

/// The public model hub, by the variables its own tools read.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Base address. `HF_ENDPOINT`.
    pub endpoint: String,
    /// Sent along with requests. `HF_TOKEN`, else the file `HF_TOKEN_PATH` names; most models need
    /// none.
    pub token: Option<String>,
    /// Not to be asked at all. `HF_HUB_OFFLINE`.
    pub offline: bool,
}

impl Hub {
    /// Where the hub is unless `HF_ENDPOINT` says otherwise.
    pub const ENDPOINT: &str = "https://huggingface.co";

    fn from_env() -> Self {
        let token = text("HF_TOKEN").or_else(|| {
            let token = std::fs::read_to_string(path("HF_TOKEN_PATH")?).ok()?;
            Some(token.trim().to_owned())
        });
        Self {
            endpoint: text("HF_ENDPOINT")
                .unwrap_or_else(|| Self::ENDPOINT.to_owned())
                .trim_end_matches('/')
                .to_owned(),
            token: token.filter(|token| !token.is_empty()),
            offline: text("HF_HUB_OFFLINE").is_some_and(|value| {
                matches!(
                    value.to_ascii_lowercase().as_str(),
                    "1" | "true" | "yes" | "on"
                )
            }),
        }
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// When there is neither `INTERPRETD_CACHE_DIR` nor a home folder.
    pub fn from_env() -> Result<Self, ModelError> {
        let folders = etcetera::choose_base_strategy().ok();
        let cache = path("INTERPRETD_CACHE_DIR")
            .or_else(|| Some(folders.as_ref()?.cache_dir().join("interpretd")))
            .ok_or(ModelError::NoCacheFolder)?;
        Ok(Self {
            cache: std::path::absolute(&cache).map_err(ModelError::io("find", &cache))?,
            catalogue: path("INTERPRETD_CATALOGUE").or_else(|| {
                let folder = folders.as_ref()?.config_dir();
                Some(folder.join("interpretd").join("models.toml"))
            }),
            mirror: text("INTERPRETD_MIRROR"),
            hub: Hub::from_env(),
            onnx_runtime: path("ORT_DYLIB_PATH"),
        })
    }
}

/// The folder where a person's own settings lie: `interpretd` in the XDG configuration folder. None
/// where there is no home folder.
#[must_use]
pub fn configuration_folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("interpretd"))
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

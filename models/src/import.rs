//! A person's own models, converted into the store and listed there like the catalogue's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    LanguagePair,
    catalogue::{Content, Kind, Role, is_plain},
    convert::{self, ConvertError},
    error::ModelError,
    fetch::{self, Lock, Observer, Task, Unit, disk_full, fetch},
    store::{MANIFEST, Stamps, Store, hash_file},
    translation::marian::BYTE_FILE,
};

/// What to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    /// A Whisper model of faster-whisper (`CTranslate2`, fp16): the folder with its `model.bin`.
    WhisperCt2(PathBuf),
    /// An OPUS-MT (Marian) model: a folder with `pytorch_model.bin` or `model.safetensors`, and
    /// `source.spm`, `target.spm`, `vocab.json` and `config.json`.
    OpusMt(PathBuf, LanguagePair),
}

/// Any multilingual Whisper file in ggml form, in the order in which they are looked for.
const TEMPLATES: [&str; 2] = ["whisper-tiny", "whisper-base"];

/// Converts a model into the store under `name`. Fetches `whisper-tiny` where a Whisper model needs
/// it as a template and no other is installed.
///
/// # Errors
/// When the name is taken or not plain, or the folder does not hold such a model.
pub async fn import(
    store: &Store,
    name: &str,
    what: Import,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> Result<(), ModelError> {
    if !is_plain(name) {
        return Err(ModelError::Import {
            path: name.into(),
            reason: "a model's name has letters, digits, '-', '_' and '.' only".to_owned(),
        });
    }
    if store.catalogue().model(name).is_ok() {
        return Err(ModelError::Import {
            path: name.into(),
            reason: "there is already a model with this name; choose another, or remove it first"
                .to_owned(),
        });
    }
    for path in what.inputs() {
        if !path.is_file() {
            return Err(ModelError::Import {
                path,
                reason: "there is no such file".to_owned(),
            });
        }
    }
    let template = match &what {
        Import::WhisperCt2(_) => Some(template(store, &observer, &cancel).await?),
        Import::OpusMt(..) => None,
    };
    let importing = async {
        let _lock = Lock::take(store.places(), observer.as_ref()).await?;
        let task = Task::begin(
            &observer,
            format!("converting {name}"),
            Unit::Percent,
            Some(100),
        );
        let (store, name) = (store.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || {
            make(&store, &name, &what, template.as_deref(), &mut |done| {
                task.at_fraction(done);
            })
        })
        .await
        .map_err(|_| ModelError::Interrupted)?
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ModelError::Interrupted),
        result = importing => result,
    }
}

impl Import {
    /// The files that must be there.
    fn inputs(&self) -> Vec<PathBuf> {
        match self {
            Self::WhisperCt2(folder) => vec![folder.join("model.bin")],
            Self::OpusMt(folder, _) => OPUS_FILES
                .iter()
                .map(|(_, file)| folder.join(file))
                .chain([opus_weights(folder)])
                .collect(),
        }
    }
}

const OPUS_FILES: [(Role, &str); 4] = [
    (Role::SourceTokenizer, "source.spm"),
    (Role::TargetTokenizer, "target.spm"),
    (Role::Vocabulary, "vocab.json"),
    (Role::Config, "config.json"),
];

fn opus_weights(folder: &Path) -> PathBuf {
    let safetensors = folder.join("model.safetensors");
    if safetensors.is_file() {
        return safetensors;
    }
    folder.join("pytorch_model.bin")
}

async fn template(
    store: &Store,
    observer: &Arc<dyn Observer>,
    cancel: &CancellationToken,
) -> Result<PathBuf, ModelError> {
    let weights = |name: &str| -> Result<PathBuf, ModelError> {
        store.model(name)?.file(Role::Weights).map(Path::to_owned)
    };
    if let Some(found) = TEMPLATES.iter().find_map(|name| weights(name).ok()) {
        return Ok(found);
    }
    let tiny = TEMPLATES[0];
    let names = [tiny.to_owned()];
    let options = fetch::Options::default();
    fetch(store, &names, options, Arc::clone(observer), cancel.clone()).await?;
    weights(tiny)
}

/// Makes the model in the work folder and moves it into place as a whole.
fn make(
    store: &Store,
    name: &str,
    what: &Import,
    template: Option<&Path>,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ModelError> {
    let places = store.places();
    let (work, models) = (places.work(), places.models());
    for folder in [&work, &models] {
        std::fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
    }
    let folder = tempfile::tempdir_in(&work).map_err(ModelError::io("write", &work))?;
    let folder = folder.path();
    let made = convert_into(folder, what, template, progress)?;
    let manifest = Manifest::of(name, what, &made);
    let text = toml::to_string(&BTreeMap::from([("model", [manifest])]));
    let path = folder.join(MANIFEST);
    let text = text.map_err(|e| ModelError::Import {
        path: path.clone(),
        reason: e.to_string(),
    })?;
    std::fs::write(&path, text).map_err(ModelError::io("write", &path))?;
    let to = places.model(name);
    std::fs::rename(folder, &to).map_err(ModelError::io("write", &to))
}

type Made = Vec<(Role, String, Content)>;

fn convert_into(
    folder: &Path,
    what: &Import,
    template: Option<&Path>,
    progress: &mut dyn FnMut(f32),
) -> Result<Made, ModelError> {
    let wrong = |from: &Path, error: ConvertError| match disk_full(&error) {
        true => ModelError::DiskFull {
            path: folder.to_owned(),
            needed: None,
            free: None,
        },
        false => ModelError::Import {
            path: from.to_owned(),
            reason: error.to_string(),
        },
    };
    let mut files: Vec<(Role, String)> = Vec::new();
    match (what, template) {
        (Import::WhisperCt2(source), Some(template)) => {
            let (from, to) = (source.join("model.bin"), "ggml-model.bin");
            convert::whisper_ct2_to_ggml(&from, template, &folder.join(to), progress)
                .map_err(|e| wrong(&from, e))?;
            files.push((Role::Weights, to.to_owned()));
        }
        (Import::WhisperCt2(_), None) => {}
        (Import::OpusMt(source, _), _) => {
            let (from, to) = (opus_weights(source), "model.safetensors");
            if from.ends_with(to) {
                copy(&from, &folder.join(to))?;
            } else {
                convert::torch_legacy_to_safetensors(&from, &folder.join(to), progress)
                    .map_err(|e| wrong(&from, e))?;
            }
            files.push((Role::Weights, to.to_owned()));
            let bytes = folder.join(BYTE_FILE);
            match convert::marian_to_bytes(&folder.join(to), &bytes, progress) {
                Ok(()) => files.push((Role::Weights, BYTE_FILE.to_owned())),
                // Half precision: it is brought to bytes each time that it is loaded.
                Err(ConvertError::Unsupported { .. }) => {}
                Err(error) => return Err(wrong(&from, error)),
            }
            for (role, file) in OPUS_FILES {
                copy(&source.join(file), &folder.join(file))?;
                files.push((role, file.to_owned()));
            }
        }
    }
    let mut stamps = Stamps::read(folder);
    let mut made = Vec::new();
    for (role, file) in files {
        let path = folder.join(&file);
        let found = std::fs::metadata(&path).map_err(ModelError::io("read", &path))?;
        let content = Content {
            size: found.len(),
            sha256: hash_file(&path).map_err(ModelError::io("read", &path))?,
        };
        stamps.record(&file, &found, &content);
        made.push((role, file, content));
    }
    stamps.save(folder);
    Ok(made)
}

fn copy(from: &Path, to: &Path) -> Result<(), ModelError> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(ModelError::io("copy", from))
}

/// A catalogue entry of an imported model.
#[derive(Serialize)]
struct Manifest<'a> {
    name: &'a str,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    languages: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<LanguagePair>,
    licence: &'a str,
    attribution: String,
    file: Vec<ManifestFile<'a>>,
}

#[derive(Serialize)]
struct ManifestFile<'a> {
    role: Role,
    path: &'a str,
    size: u64,
    sha256: &'a str,
}

impl<'a> Manifest<'a> {
    fn of(name: &'a str, what: &Import, made: &'a Made) -> Self {
        let (kind, languages, pair, from) = match what {
            Import::WhisperCt2(from) => (Kind::Recognition, Some("multilingual"), None, from),
            Import::OpusMt(from, pair) => (Kind::Translation, None, Some(*pair), from),
        };
        let from = std::path::absolute(from).unwrap_or_else(|_| from.clone());
        Self {
            name,
            kind,
            languages,
            pair,
            licence: "LicenseRef-own",
            attribution: format!("imported from {}", from.display()),
            file: made
                .iter()
                .map(|(role, path, content)| ManifestFile {
                    role: *role,
                    path,
                    size: content.size,
                    sha256: &content.sha256,
                })
                .collect(),
        }
    }
}

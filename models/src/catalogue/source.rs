//! Where a file comes from.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Bytes.
    pub size: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A file's content and where it can be had.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// None where only a conversion on this machine tells.
    pub content: Option<Content>,
    /// In the order in which they are tried.
    pub sources: Vec<Source>,
}

/// One place a file can be had from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A file of a repository of the model hub.
    Hub {
        /// "owner/name".
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// Path in the repository.
        path: String,
    },
    /// A file in a registry's package.
    Package(Member),
    /// A member of a zip that was cut into pieces, each in a package.
    CutZip {
        /// The consecutive pieces.
        pieces: Vec<Member>,
        /// End of the member's path in the zip.
        member: String,
    },
    /// A file of this machine.
    File(PathBuf),
    /// Made here.
    Convert(Recipe),
}

impl Source {
    /// The catalogue's file that it is made from, if any.
    #[must_use]
    pub fn input(&self) -> Option<&FileName> {
        match self {
            Self::Convert(
                Recipe::WhisperCt2ToGgml { template: from, .. }
                | Recipe::QuantizeQ8_0 { from }
                | Recipe::MarianToBytes { from },
            ) => Some(from),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub {
                repository,
                revision,
                path,
            } => write!(f, "hf:{repository}@{revision}/{path}"),
            Self::Package(member) => write!(f, "{}/{}", member.archive, member.path),
            Self::CutZip { pieces, .. } => match (pieces.first(), pieces.last()) {
                (Some(first), Some(last)) => write!(f, "{} to {}", first.archive, last.archive),
                _ => f.write_str("an empty zip"),
            },
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Convert(recipe) => recipe.fmt(f),
        }
    }
}

/// A file in a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Member {
    /// The package.
    pub archive: Archive,
    /// Path in the package: below the root folder of an npm package, from the top of a wheel.
    pub path: String,
}

/// A package of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Archive {
    /// An npm package.
    Npm {
        /// Name, with its scope.
        name: String,
        /// Exact version.
        version: String,
    },
    /// A wheel of a Python package.
    Pypi {
        /// Name.
        name: String,
        /// Exact version.
        version: String,
        /// The wheel's tags, as in "cp311-cp311-manylinux_2_28_x86_64"; none: "py3-none-any".
        tags: Option<String>,
    },
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npm { name, version } => write!(f, "npm:{name}@{version}"),
            Self::Pypi { name, version, .. } => write!(f, "pypi:{name}=={version}"),
        }
    }
}

/// A conversion.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// A Whisper model of faster-whisper (`CTranslate2`, fp16) to ggml.
    WhisperCt2ToGgml {
        /// The pieces of `model.bin`, in order.
        parts: Vec<Member>,
        /// Any multilingual ggml file: gives mel filters, vocabulary and tensor order.
        template: FileName,
    },
    /// A ggml file's matrices in 8 bits.
    QuantizeQ8_0 {
        /// The file to quantise.
        from: FileName,
    },
    /// An OPUS-MT model's matrices in 8 bits.
    MarianToBytes {
        /// Its `model.safetensors`.
        from: FileName,
    },
    /// A legacy `PyTorch` checkpoint to safetensors.
    TorchToSafetensors {
        /// The checkpoint; its content is known.
        from: Box<Artifact>,
    },
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WhisperCt2ToGgml { parts, .. } => {
                f.write_str("conversion from CTranslate2 form")?;
                parts
                    .first()
                    .map_or(Ok(()), |part| write!(f, " ({} ...)", part.archive))
            }
            Self::QuantizeQ8_0 { from } => write!(f, "quantisation of {from}"),
            Self::MarianToBytes { from } => write!(f, "8-bit form of {from}"),
            Self::TorchToSafetensors { .. } => f.write_str("conversion of pytorch_model.bin"),
        }
    }
}

/// A file of a model in the catalogue, written "model/path".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName {
    /// The model's name.
    pub model: String,
    /// The file's path in it.
    pub path: String,
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.model, self.path)
    }
}

impl FromStr for FileName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (model, path) = text
            .split_once('/')
            .ok_or_else(|| format!("'{text}' is not MODEL/FILE"))?;
        Ok(Self {
            model: model.to_owned(),
            path: path.to_owned(),
        })
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| format!("'{text}' has no scheme; use hf:, npm:, pypi: or file:"))?;
        match scheme {
            "hf" => hub(rest),
            "npm" => npm(rest).map(Self::Package),
            "pypi" => pypi(rest).map(Self::Package),
            "file" => Some(Self::File(PathBuf::from(rest))),
            _ => {
                return Err(format!(
                    "'{scheme}:' in '{text}' is not hf:, npm:, pypi: or file:"
                ));
            }
        }
        .ok_or_else(|| {
            let form = match scheme {
                "hf" => "hf:OWNER/REPO[@REVISION]/PATH",
                "npm" => "npm:PACKAGE@VERSION/PATH",
                _ => "pypi:PACKAGE==VERSION[TAGS]/PATH",
            };
            format!("'{text}' does not have the form {form}")
        })
    }
}

fn hub(rest: &str) -> Option<Source> {
    let (owner, rest) = rest.split_once('/')?;
    let (repository, path) = rest.split_once('/')?;
    let (repository, revision) = repository.split_once('@').unwrap_or((repository, "main"));
    filled([owner, repository, revision, path]).then(|| Source::Hub {
        repository: format!("{owner}/{repository}"),
        revision: revision.to_owned(),
        path: path.to_owned(),
    })
}

fn npm(rest: &str) -> Option<Member> {
    // A scoped name begins with '@' itself.
    let at = rest.get(1..)?.find('@')? + 1;
    let (name, rest) = (rest.get(..at)?, rest.get(at + 1..)?);
    let (version, path) = rest.split_once('/')?;
    filled([name, version, path]).then(|| Member {
        archive: Archive::Npm {
            name: name.to_owned(),
            version: version.to_owned(),
        },
        path: path.to_owned(),
    })
}

fn pypi(rest: &str) -> Option<Member> {
    let (name, rest) = rest.split_once("==")?;
    let (version, path) = rest.split_once('/')?;
    let (version, tags) = match version.split_once('[') {
        Some((version, tags)) => (version, Some(tags.strip_suffix(']')?)),
        None => (version, None),
    };
    filled([name, version, path]).then(|| Member {
        archive: Archive::Pypi {
            name: name.to_owned(),
            version: version.to_owned(),
            tags: tags.map(ToOwned::to_owned),
        },
        path: path.to_owned(),
    })
}

fn filled<const N: usize>(parts: [&str; N]) -> bool {
    parts.iter().all(|part| !part.is_empty())
}

/// Expands "a-{012..015}/b.{}" to one text for each number, written with as many digits.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("'{pattern}' has no range of numbers such as {{012..015}}");
    let (start, rest) = pattern.split_once('{').ok_or_else(wrong)?;
    let (range, end) = rest.split_once('}').ok_or_else(wrong)?;
    let (first, last) = range.split_once("..").ok_or_else(wrong)?;
    let numbers: (u32, u32) = (
        first.parse().map_err(|_| wrong())?,
        last.parse().map_err(|_| wrong())?,
    );
    if numbers.0 > numbers.1 || numbers.1 - numbers.0 > 1000 {
        return Err(wrong());
    }
    let digits = first.len();
    Ok((numbers.0..=numbers.1)
        .map(|number| {
            let number = format!("{number:0digits$}");
            format!("{start}{number}{}", end.replace("{}", &number))
        })
        .collect())
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(Source::Package(member)) => Ok(member),
            Ok(_) => Err(de::Error::custom(format!("'{text}' is not npm: or pypi:"))),
            Err(reason) => Err(de::Error::custom(reason)),
        }
    }
}

impl<'de> Deserialize<'de> for FileName {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

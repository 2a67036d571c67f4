//! `interpret models`: what models there are, and getting, checking and removing them.

mod list;
mod progress;

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use interpret_models::{
    LanguagePair, ModelError,
    catalogue::{Model, Role},
    error::Bytes,
    fetch::{Observer, Options, fetch},
    import::{Import, import},
    store::{FileState, Settings, Store},
};
use tokio_util::sync::CancellationToken;

/// Arguments of `interpret models`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show all models: what they do, size, licence, and whether they are installed
    List,
    /// Download models; without names the default set
    Fetch {
        /// Names, as shown by `list`
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Keep downloaded packages after their files were taken out
        #[arg(long)]
        keep_downloads: bool,
    },
    /// Compare every byte of installed models with the catalogue
    Verify {
        /// Names; without any, all that are installed
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Print the folder of an installed model, or its files with one role
    Path {
        /// Name, as shown by `list`
        name: String,
        /// Print the files with this role instead
        #[arg(long)]
        role: Option<RoleArg>,
    },
    /// Delete installed models
    Remove {
        /// Names
        #[arg(value_name = "NAME", required_unless_present = "downloads")]
        names: Vec<String>,
        /// Delete kept packages and unfinished downloads
        #[arg(long)]
        downloads: bool,
    },
    /// Convert a model of your own into the cache
    Import(ImportArgs),
}

#[derive(Debug, ClapArgs)]
struct ImportArgs {
    #[command(flatten)]
    from: ImportFrom,
    /// The name it gets
    #[arg(long)]
    name: String,
    /// The direction of a translation model, such as fr-en
    #[arg(long, requires = "opus_mt", value_name = "XX-YY")]
    pair: Option<LanguagePair>,
}

#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
struct ImportFrom {
    /// Folder of a faster-whisper model (CTranslate2, fp16)
    #[arg(long, value_name = "DIR")]
    whisper_ct2: Option<PathBuf>,
    /// Folder of an OPUS-MT (Marian) model
    #[arg(long, value_name = "DIR", requires = "pair")]
    opus_mt: Option<PathBuf>,
}

/// The roles that files can be asked for by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    Weights,
    Vocabulary,
    SourceTokenizer,
    TargetTokenizer,
    Config,
    Voice,
    TokenTable,
    Library,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Weights => Self::Weights,
            RoleArg::Vocabulary => Self::Vocabulary,
            RoleArg::SourceTokenizer => Self::SourceTokenizer,
            RoleArg::TargetTokenizer => Self::TargetTokenizer,
            RoleArg::Config => Self::Config,
            RoleArg::Voice => Self::Voice,
            RoleArg::TokenTable => Self::TokenTable,
            RoleArg::Library => Self::Library,
        }
    }
}

/// Why `interpret models` failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model cannot be had or is not usable.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs `interpret models`.
///
/// # Errors
/// When a model cannot be had, is damaged or unknown, or the person stopped it.
pub async fn run(args: Args) -> Result<(), Error> {
    let store = Store::open(Settings::from_env()?)?;
    match args.command {
        Command::List => list::print(&store, &mut io::stdout().lock())?,
        Command::Fetch {
            names,
            keep_downloads,
        } => {
            let options = Options { keep_downloads };
            let cancel = stop_on_ctrl_c();
            fetch(&store, &names, options, progress::observer(), cancel).await?;
        }
        Command::Verify { names } => verify(&store, &names)?,
        Command::Path { name, role } => print_path(&store, &name, role)?,
        Command::Remove { names, downloads } => remove(&store, &names, downloads).await?,
        Command::Import(ImportArgs { from, name, pair }) => {
            let what = match (from.whisper_ct2, from.opus_mt, pair) {
                (Some(folder), ..) => Import::WhisperCt2(folder),
                (_, Some(folder), Some(pair)) => Import::OpusMt(folder, pair),
                // clap asks for one of them, and for the pair.
                _ => return Ok(()),
            };
            import(&store, &name, what, progress::observer(), stop_on_ctrl_c()).await?;
        }
    }
    Ok(())
}

/// A token that Ctrl-C (or SIGTERM) cancels; a second one ends the process at once.
fn stop_on_ctrl_c() -> CancellationToken {
    let cancel = CancellationToken::new();
    let stopped = cancel.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        stopped.cancel();
        wait_for_signal().await;
        std::process::exit(130);
    });
    cancel
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

fn named<'a>(store: &'a Store, names: &[String]) -> Result<Vec<&'a Model>, ModelError> {
    let catalogue = store.catalogue();
    names.iter().map(|name| catalogue.model(name)).collect()
}

fn verify(store: &Store, names: &[String]) -> Result<(), Error> {
    let mut models = named(store, names)?;
    if names.is_empty() {
        let all = store.catalogue().models();
        models = all.filter(|model| store.folder(model).exists()).collect();
    }
    let mut errors = Vec::new();
    let mut out = io::stdout().lock();
    for model in models {
        let states = store.check(model, true)?;
        let files = model.files.iter().zip(states);
        let error = files.into_iter().find_map(|(file, state)| match state {
            FileState::Good => None,
            FileState::Missing => Some(ModelError::NotInstalled {
                what: format!("{} of the model '{}'", file.path, model.name),
                name: model.name.clone(),
            }),
            FileState::Damaged(reason) => Some(ModelError::Corrupt {
                model: model.name.clone(),
                path: store.folder(model).join(&file.path),
                reason,
            }),
        });
        match error {
            None => writeln!(out, "{}: good, {}", model.name, Bytes(model.size()))?,
            Some(error) => {
                writeln!(out, "{}: {error}", model.name)?;
                errors.push(error);
            }
        }
    }
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0).into()),
        _ => Err(ModelError::Several(errors).into()),
    }
}

fn print_path(store: &Store, name: &str, role: Option<RoleArg>) -> Result<(), Error> {
    let model = store.model(name)?;
    let mut out = io::stdout().lock();
    match role {
        None => writeln!(out, "{}", model.folder().display())?,
        Some(role) => {
            model.file(role.into())?;
            for path in model.files(role.into()) {
                writeln!(out, "{}", path.display())?;
            }
        }
    }
    Ok(())
}

async fn remove(store: &Store, names: &[String], downloads: bool) -> Result<(), Error> {
    let observer: Arc<dyn Observer> = progress::observer();
    for model in named(store, names)? {
        let removed = store.remove(model, observer.as_ref()).await?;
        let did = if removed {
            "removed"
        } else {
            "was not installed"
        };
        writeln!(io::stdout().lock(), "{}: {did}", model.name)?;
    }
    if downloads {
        let size = store.remove_downloads(observer.as_ref()).await?;
        writeln!(io::stdout().lock(), "downloads: removed {}", Bytes(size))?;
    }
    Ok(())
}

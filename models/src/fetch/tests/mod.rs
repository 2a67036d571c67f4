//! Fetching from real servers, folders and packages; the registries' own part is in
//! `client/tests/models.rs`.

mod server;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

use tempfile::TempDir;

use super::*;
use crate::{
    catalogue::Role,
    store::{Hub, Settings},
};
use server::{Faults, Server};

/// Remembers what was said.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn on(&self, event: Event) {
        if let Event::Note(note) = event {
            self.0.lock().unwrap().push(note);
        }
    }
}

impl Notes {
    fn about(&self, word: &str) -> usize {
        let notes = self.0.lock().unwrap();
        notes.iter().filter(|note| note.contains(word)).count()
    }
}

/// A cache of its own, with a catalogue of its own.
struct Place {
    folder: TempDir,
    settings: Settings,
    notes: Arc<Notes>,
}

impl Place {
    /// `files`: name, content, sources. All belong to the model "m".
    fn new(hub: &str, files: &[(&str, &[u8], &[&str])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut catalogue = String::from(
            "[[model]]\nname = 'm'\nkind = 'detection'\nlicence = 'MIT'\nattribution = 'us'\n",
        );
        for (name, content, sources) in files {
            catalogue += &format!(
                "[[model.file]]\nrole = 'weights'\npath = '{name}'\nsize = {}\nsha256 = '{}'\n\
                 sources = {sources:?}\n",
                content.len(),
                sha256(content)
            );
        }
        let path = folder.path().join("own.toml");
        std::fs::write(&path, catalogue).unwrap();
        let settings = Settings {
            cache: folder.path().join("cache"),
            catalogue: Some(path),
            mirror: None,
            hub: Hub {
                endpoint: hub.to_owned(),
                token: None,
                offline: false,
            },
            onnx_runtime: None,
        };
        let notes = Arc::new(Notes::default());
        Self {
            folder,
            settings,
            notes,
        }
    }

    fn store(&self) -> Store {
        Store::open(self.settings.clone()).unwrap()
    }

    async fn fetch(&self) -> Result<(), ModelError> {
        fetch(
            &self.store(),
            &["m".to_owned()],
            Options::default(),
            Arc::<Notes>::clone(&self.notes),
            CancellationToken::new(),
        )
        .await
    }

    fn installed(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.settings.cache.join("models/m").join(name)).unwrap()
    }

    /// Where the unfinished download of `content` lies.
    fn part(&self, name: &str, content: &[u8]) -> PathBuf {
        let folder = self.settings.cache.join("downloads");
        std::fs::create_dir_all(&folder).unwrap();
        let sha256 = sha256(content);
        folder.join(format!("{}-{name}.part", &sha256[..16]))
    }
}

fn sha256(content: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    crate::store::hash_file(file.path()).unwrap()
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

const HUB_A: &str = "/o/r/resolve/main/a.bin";

#[tokio::test]
async fn an_installed_model_is_not_fetched_again_and_leaves_no_downloads() {
    let a = bytes(100_000);
    let server = Server::start(&[(HUB_A, &a)], Faults::default());
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    let missing = place.store().model("m").unwrap_err();
    assert!(
        matches!(missing, ModelError::NotInstalled { .. }),
        "{missing}"
    );
    assert!(
        missing.to_string().contains("interpret models fetch m"),
        "{missing}"
    );

    place.fetch().await.unwrap();
    place.fetch().await.unwrap();

    assert_eq!(place.installed("a.bin"), a);
    assert_eq!(server.asked(), [HUB_A]);
    let model = place.store().model("m").unwrap();
    assert_eq!(
        std::fs::read(model.file(Role::Weights).unwrap()).unwrap(),
        a
    );
    assert!(files_below(&place.settings.cache.join("downloads")).is_empty());
    assert!(files_below(&place.settings.cache.join("work")).is_empty());
}

#[tokio::test]
async fn a_broken_connection_is_resumed_where_it_broke() {
    let a = bytes(100_000);
    let cut_first_after = Some(60_000);
    let faults = Faults {
        cut_first_after,
        ..Faults::default()
    };
    let server = Server::start(&[(HUB_A, &a)], faults);
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    place.fetch().await.unwrap();
    assert_eq!(place.installed("a.bin"), a);
    assert_eq!(
        server.asked(),
        [HUB_A.to_owned(), format!("{HUB_A} bytes=60000-")]
    );
}

#[tokio::test]
async fn what_an_earlier_run_left_is_used() {
    let a = bytes(100_000);
    let server = Server::start(&[(HUB_A, &a)], Faults::default());
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    std::fs::write(place.part("a.bin", &a), &a[..99_000]).unwrap();
    place.fetch().await.unwrap();
    assert_eq!(place.installed("a.bin"), a);
    assert_eq!(server.asked(), [format!("{HUB_A} bytes=99000-")]);
}

#[tokio::test]
async fn a_wrong_beginning_is_thrown_away_and_the_source_asked_again() {
    let a = bytes(100_000);
    let server = Server::start(&[(HUB_A, &a)], Faults::default());
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    std::fs::write(place.part("a.bin", &a), vec![0; 50_000]).unwrap();
    place.fetch().await.unwrap();
    assert_eq!(place.installed("a.bin"), a);
    assert_eq!(
        server.asked(),
        [format!("{HUB_A} bytes=50000-"), HUB_A.to_owned()]
    );
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_again() {
    let a = bytes(100_000);
    let faults = Faults {
        no_ranges: true,
        ..Faults::default()
    };
    let server = Server::start(&[(HUB_A, &a)], faults);
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    std::fs::write(place.part("a.bin", &a), &a[..50_000]).unwrap();
    place.fetch().await.unwrap();
    assert_eq!(place.installed("a.bin"), a);
}

#[tokio::test]
async fn after_a_wrong_file_the_next_source_is_tried() {
    let a = bytes(1000);
    let mut wrong = a.clone();
    wrong[500] ^= 1;
    let server = Server::start(&[(HUB_A, &wrong)], Faults::default());
    let there = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(there.path(), &a).unwrap();
    let file = format!("file:{}", there.path().display());
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin", &file])]);
    place.fetch().await.unwrap();
    assert_eq!(place.installed("a.bin"), a);
    assert_eq!(server.asked(), [HUB_A]);
    assert_eq!(
        std::fs::read(there.path()).unwrap(),
        a,
        "a person's file stays where it is"
    );
}

#[tokio::test]
async fn when_no_source_has_the_right_file_each_is_named_with_its_reason() {
    let a = bytes(1000);
    let server = Server::start(&[(HUB_A, &bytes(1001))], Faults::default());
    let sources: &[&str] = &["hf:o/r/a.bin", "hf:o/r/b.bin", "file:/nowhere/a.bin"];
    let place = Place::new(&server.address, &[("a.bin", &a, sources)]);
    let error = place.fetch().await.unwrap_err();
    assert!(
        matches!(error, ModelError::HashMismatch { .. }),
        "{error:?}"
    );
    let error = error.to_string();
    for said in [
        "m/a.bin",
        "hf:o/r@main/a.bin: the file there has 1001 bytes instead of 1000",
        "hf:o/r@main/b.bin: the server answered 404 Not Found",
        "file:/nowhere/a.bin: cannot copy /nowhere/a.bin",
    ] {
        assert!(error.contains(said), "{said:?} is not in {error}");
    }
    assert!(files_below(&place.settings.cache.join("models")).is_empty());
}

#[tokio::test]
async fn a_silent_hub_costs_one_connection_and_one_message_in_a_run() {
    let files: Vec<(String, Vec<u8>)> = (0..9)
        .map(|i| (format!("{i}.bin"), bytes(i + 10)))
        .collect();
    let mirror = tempfile::tempdir().unwrap();
    let sources: Vec<[String; 2]> = files
        .iter()
        .map(|(name, content)| {
            let path = mirror.path().join(name);
            std::fs::write(&path, content).unwrap();
            [format!("hf:o/r/{name}"), format!("file:{}", path.display())]
        })
        .collect();
    let sources: Vec<[&str; 2]> = sources
        .iter()
        .map(|[a, b]| [a.as_str(), b.as_str()])
        .collect();
    let entries: Vec<(&str, &[u8], &[&str])> = files
        .iter()
        .zip(&sources)
        .map(|((name, content), sources)| (name.as_str(), content.as_slice(), sources.as_slice()))
        .collect();
    let faults = Faults {
        silent: true,
        ..Faults::default()
    };
    let server = Server::start(&[], faults);
    let place = Place::new(&server.address, &entries);
    place.fetch().await.unwrap();
    assert_eq!(server.all(), 1);
    assert_eq!(place.notes.about("cannot be reached"), 1);
    assert_eq!(place.installed("8.bin"), files[8].1);
}

#[tokio::test]
async fn a_mirror_comes_first_as_a_folder_and_as_an_address() {
    let a = bytes(1000);
    let hub = Server::start(&[(HUB_A, &a)], Faults::default());
    let web = Server::start(&[("/x/m/a.bin", &a)], Faults::default());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("m")).unwrap();
    std::fs::write(folder.path().join("m/a.bin"), &a).unwrap();
    for mirror in [
        format!("{}/x/", web.address),
        folder.path().display().to_string(),
    ] {
        let mut place = Place::new(&hub.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
        place.settings.mirror = Some(mirror);
        place.fetch().await.unwrap();
        assert_eq!(place.installed("a.bin"), a);
    }
    assert_eq!(web.asked(), ["/x/m/a.bin"]);
    assert_eq!(hub.all(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fetches_at_once_fetch_once() {
    let a = bytes(3_000_000);
    let server = Server::start(&[(HUB_A, &a)], Faults::default());
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    let (first, second) = tokio::join!(place.fetch(), place.fetch());
    first.unwrap();
    second.unwrap();
    assert_eq!(place.installed("a.bin"), a);
    assert_eq!(server.asked(), [HUB_A]);
    assert_eq!(place.notes.about("waiting"), 1);
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full() {
    let a = bytes(3_000_000);
    let server = Server::start(&[(HUB_A, &a)], Faults::default());
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    // The kernel's own full disk.
    std::os::unix::fs::symlink("/dev/full", place.part("a.bin", &a)).unwrap();
    let error = place.fetch().await.unwrap_err();
    assert!(matches!(error, ModelError::DiskFull { .. }), "{error:?}");
    assert!(
        error.to_string().contains("INTERPRETD_CACHE_DIR"),
        "{error}"
    );
    assert!(files_below(&place.settings.cache.join("models")).is_empty());
}

#[tokio::test]
async fn a_model_that_cannot_fit_is_not_begun() {
    let server = Server::start(&[], Faults::default());
    let place = Place::new(&server.address, &[("a.bin", &[1], &["hf:o/r/a.bin"])]);
    let path = place.settings.catalogue.clone().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("size = 1\n", "size = 1000000000000000000\n"),
    )
    .unwrap();
    let error = place.fetch().await.unwrap_err();
    let ModelError::DiskFull {
        needed: Some(needed),
        free: Some(free),
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(needed + free, 1_000_000_000_000_000_000);
    assert_eq!(server.all(), 0);
}

#[tokio::test]
async fn a_cancelled_fetch_keeps_what_it_has_under_no_final_name() {
    let a = bytes(1000);
    let faults = Faults {
        silent: true,
        ..Faults::default()
    };
    let server = Server::start(&[], faults);
    let place = Place::new(&server.address, &[("a.bin", &a, &["hf:o/r/a.bin"])]);
    let cancel = CancellationToken::new();
    let store = place.store();
    let names = ["m".to_owned()];
    let fetching = fetch(
        &store,
        &names,
        Options::default(),
        Arc::new(()),
        cancel.clone(),
    );
    let cancelling = async {
        while server.all() == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(fetching, cancelling);
    assert!(matches!(result, Err(ModelError::Interrupted)), "{result:?}");
    assert!(files_below(&place.settings.cache.join("models")).is_empty());
    drop(place.folder);
}

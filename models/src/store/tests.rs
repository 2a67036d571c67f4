use std::{fs, time::SystemTime};

use super::*;

/// A store with one installed model "m" of one file, "a.bin", which holds "abc".
fn installed() -> (tempfile::TempDir, Store, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = folder.path().join("own.toml");
    fs::write(
        &catalogue,
        "[[model]]\nname = 'm'\nkind = 'synthesis'\nlanguages = ['fr']\nlicence = 'MIT'\n\
         attribution = 'us'\n[[model.file]]\nrole = 'weights'\npath = 'a.bin'\nsize = 3\n\
         sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'\n",
    )
    .unwrap();
    let settings = Settings {
        cache: folder.path().join("cache"),
        catalogue: Some(catalogue),
        mirror: None,
        hub: Hub {
            endpoint: String::new(),
            token: None,
            offline: true,
        },
        onnx_runtime: None,
    };
    let file = settings.cache.join("models/m/a.bin");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "abc").unwrap();
    let store = Store::open(settings).unwrap();
    (folder, store, file)
}

fn age(file: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn a_changed_file_is_noticed_at_the_next_use() {
    let (_folder, store, file) = installed();
    store.model("m").unwrap();
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "abd").unwrap();
    age(&file, before + std::time::Duration::from_secs(1));
    let error = store.model("m").unwrap_err();
    assert!(matches!(error, ModelError::Corrupt { .. }), "{error:?}");
    assert!(
        error.to_string().contains("interpret models fetch m"),
        "{error}"
    );
    fs::write(&file, "ab").unwrap();
    let error = store.model("m").unwrap_err();
    assert!(
        error.to_string().contains("2 bytes instead of 3"),
        "{error}"
    );
}

#[test]
fn an_unchanged_file_is_hashed_once_but_verified_in_full() {
    let (_folder, store, file) = installed();
    store.model("m").unwrap();
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "abd").unwrap();
    age(&file, before);
    // That the change goes unnoticed shows that nothing was read.
    store.model("m").unwrap();
    let model = store.catalogue().model("m").unwrap();
    let states = store.check(model, true).unwrap();
    assert!(matches!(states[..], [FileState::Damaged(_)]), "{states:?}");
}

#[test]
fn models_are_found_by_what_they_do() {
    let (_folder, store, _file) = installed();
    let found = store.synthesis("fr".parse().unwrap()).unwrap();
    // The catalogue's own comes first, but only this one is installed.
    assert_eq!(found.model().name, "m");
    let error = store.translation("fr-en".parse().unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("interpret models fetch opus-mt-fr-en"),
        "{error}"
    );
    let error = store.translation("fr-de".parse().unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("from French to German (fr-de)"),
        "{error}"
    );
    let error = store.recognition(None).unwrap_err();
    assert!(error.to_string().contains("fetch whisper-base"), "{error}");
    assert!(store.installed_pairs().is_empty());
}

#[test]
fn a_library_of_ones_own_is_used_as_it_is() {
    let (_folder, store, _file) = installed();
    assert!(matches!(
        store.onnx_runtime(),
        Err(ModelError::NotInstalled { .. })
    ));
    let mut settings = store.settings().clone();
    settings.onnx_runtime = Some("/usr/lib/libonnxruntime.so".into());
    let store = Store::open(settings).unwrap();
    assert_eq!(
        store.onnx_runtime().unwrap(),
        Path::new("/usr/lib/libonnxruntime.so")
    );
}

#[test]
fn a_pair_through_english_needs_both_models_and_says_so() {
    let (_folder, store, _file) = installed();
    let pair: LanguagePair = "fr-pt".parse().unwrap();
    let error = store.translation_route(pair).unwrap_err().to_string();
    for name in ["opus-mt-fr-en", "bergamot-en-pt"] {
        assert!(
            error.contains(&format!("interpret models fetch {name}")),
            "{error}"
        );
    }
    let unknown = store
        .translation_route("fr-is".parse().unwrap())
        .unwrap_err();
    assert!(
        matches!(unknown, ModelError::NoSuchModel { .. }),
        "{unknown:?}"
    );
    assert!(store.translatable_pairs().is_empty());
}

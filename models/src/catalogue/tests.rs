use super::*;

fn with(text: &str) -> Result<Catalogue, ModelError> {
    let mut catalogue = Catalogue::built_in()?;
    catalogue.extend(text, Path::new("own.toml"))?;
    Ok(catalogue)
}

fn refused(text: &str) -> String {
    with(text).unwrap_err().to_string()
}

const MODEL: &str = "[[model]]\nname = 'm'\nkind = 'detection'\nlicence = 'MIT'\n\
                     attribution = 'us'\n";

#[test]
fn the_default_set_is_complete() {
    let catalogue = Catalogue::built_in().unwrap();
    let default: Vec<&str> = catalogue
        .models()
        .filter(|model| model.default)
        .map(|model| model.name.as_str())
        .collect();
    for name in [
        "silero-vad",
        "whisper-base",
        "whisper-base-q8_0",
        "opus-mt-fr-en",
        "opus-mt-en-fr",
        "kokoro-82m",
        "onnxruntime",
    ] {
        assert!(default.contains(&name), "{name} is not in {default:?}");
    }
    assert!(catalogue.model(crate::store::DEFAULT_RECOGNITION).is_ok());
}

#[test]
fn every_model_says_whose_it_is_and_every_file_where_it_comes_from() {
    for model in Catalogue::built_in().unwrap().models() {
        assert!(
            !model.licence.is_empty() && !model.attribution.is_empty(),
            "{}",
            model.name
        );
        assert!(model.home.is_some(), "{}", model.name);
        for file in &model.files {
            assert!(
                !file.artifact.sources.is_empty(),
                "{}/{}",
                model.name,
                file.path
            );
        }
    }
}

#[test]
fn every_default_model_can_be_had_without_the_hub() {
    fn without_hub(catalogue: &Catalogue, artifact: &Artifact) -> bool {
        artifact.sources.iter().any(|source| match source {
            Source::Hub { .. } | Source::File(_) => false,
            Source::Package(_) | Source::CutZip { .. } => true,
            Source::Convert(Recipe::TorchToSafetensors { from }) => without_hub(catalogue, from),
            Source::Convert(_) => source
                .input()
                .and_then(|input| catalogue.file(input))
                .is_some_and(|input| without_hub(catalogue, &input.artifact)),
        })
    }
    let catalogue = Catalogue::built_in().unwrap();
    for model in catalogue.models().filter(|model| model.default) {
        for file in &model.files {
            assert!(
                without_hub(&catalogue, &file.artifact),
                "{}/{}",
                model.name,
                file.path
            );
        }
    }
}

#[test]
fn every_language_pair_is_complete() {
    let catalogue = Catalogue::built_in().unwrap();
    let mut pairs = Vec::new();
    for model in catalogue
        .models()
        .filter(|model| model.kind == Kind::Translation)
    {
        let pair = model.pair.unwrap();
        assert!(!pairs.contains(&pair), "{pair} is there twice");
        pairs.push(pair);
        let files = model.files.iter().map(|file| (file.role, &*file.path));
        let files: Vec<(Role, &str)> = files.collect();
        if model.name.starts_with("bergamot-") {
            let expected = [
                (Role::Weights, "model.bin"),
                (Role::Shortlist, "lex.bin"),
                (Role::SourceTokenizer, "vocab.spm"),
            ];
            assert_eq!(files, expected, "{}", model.name);
        } else {
            let expected = [
                (Role::Weights, "model.safetensors"),
                (Role::Weights, "model.q8.safetensors"),
                (Role::SourceTokenizer, "source.spm"),
                (Role::TargetTokenizer, "target.spm"),
                (Role::Vocabulary, "vocab.json"),
                (Role::Config, "config.json"),
            ];
            assert_eq!(files, expected, "{}", model.name);
        }
    }
    assert_eq!(pairs.len(), 4);
}

#[test]
fn kokoro_has_its_54_voices() {
    let catalogue = Catalogue::built_in().unwrap();
    let kokoro = catalogue.model("kokoro-82m").unwrap();
    let voices = kokoro.files.iter().filter(|file| file.role == Role::Voice);
    assert_eq!(voices.count(), 54);
    assert!(kokoro.file("voices/ff_siwis.bin").is_some());
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let error = Catalogue::built_in()
        .unwrap()
        .model("whisper-bse")
        .unwrap_err();
    assert!(
        error.to_string().contains("did you mean 'whisper-base'?"),
        "{error}"
    );
    let error = Catalogue::built_in().unwrap().model("zzz").unwrap_err();
    assert!(!error.to_string().contains("did you mean"), "{error}");
}

#[test]
fn a_language_pair_of_ones_own_is_one_entry() {
    let content = format!("{{ size = 1, sha256 = '{}' }}", "0".repeat(64));
    let catalogue = with(&format!(
        "[[opus-mt]]\npair = 'fr-de'\nweights = {content}\nsource-spm = {content}\n\
         target-spm = {content}\nvocab = {content}\nconfig = {content}\n"
    ))
    .unwrap();
    let model = catalogue.model("opus-mt-fr-de").unwrap();
    assert_eq!(
        model.file("vocab.json").unwrap().artifact.sources[0].to_string(),
        "hf:Helsinki-NLP/opus-mt-fr-de@main/vocab.json"
    );
}

#[test]
fn a_catalogue_is_read_strictly() {
    let file = "[[model.file]]\nrole = 'weights'\npath = 'a'\nsize = 1\n";
    let hash = format!("sha256 = '{}'\n", "0".repeat(64));
    for (text, reason) in [
        (format!("{MODEL}sise = 3\n"), "unknown field `sise`"),
        (format!("{MODEL}{file}"), "'a' needs both size and sha256"),
        (format!("{MODEL}{file}sha256 = 'AB'\n"), "not 64 lower-case"),
        (
            format!("{MODEL}{file}{hash}sources = ['ftp:x']\n"),
            "'ftp:' in 'ftp:x' is not hf:",
        ),
        (
            format!("{MODEL}{file}{hash}sources = ['npm:x/y']\n"),
            "npm:PACKAGE@VERSION/PATH",
        ),
        (
            format!("{MODEL}{file}{hash}sources = [{{ convert = 'magic' }}]\n"),
            "magic",
        ),
        (MODEL.replace("'m'", "'../m'"), "cannot be a model's name"),
        (
            format!("{MODEL}{file}{hash}").replace("'a'", "'../a'"),
            "not a plain relative path",
        ),
        (
            MODEL.replace("'m'", "'whisper-base'"),
            "already a model named 'whisper-base'",
        ),
        (MODEL.replace("detection", "translation"), "has a `pair`"),
        (
            format!(
                "{MODEL}{file}{hash}sources = [{{ convert = 'quantize-q8_0', from = 'm/a' }}]\n"
            ),
            "made from itself",
        ),
        (
            format!(
                "{MODEL}{file}{hash}sources = [{{ convert = 'quantize-q8_0', from = 'm/b' }}]\n"
            ),
            "not in the catalogue",
        ),
    ] {
        let error = refused(&text);
        assert!(error.contains(reason), "{reason:?} is not in {error}");
        assert!(error.contains("own.toml"), "{error}");
    }
}

#[test]
fn sources_are_written_as_they_are_read() {
    for (text, shown) in [
        ("hf:o/r@v1/a/b.bin", "hf:o/r@v1/a/b.bin"),
        ("hf:o/r/b.bin", "hf:o/r@main/b.bin"),
        ("npm:@scope/p@1.2.3/lib/x", "npm:@scope/p@1.2.3/lib/x"),
        ("npm:p@1.2.3/x", "npm:p@1.2.3/x"),
        ("pypi:p==1.0[cp311-cp311-any]/a/x", "pypi:p==1.0/a/x"),
        ("file:/a/b", "file:/a/b"),
    ] {
        assert_eq!(text.parse::<Source>().unwrap().to_string(), shown);
    }
    let Ok(Source::Package(member)) = "pypi:p==1.0[cp311-cp311-any]/a/x".parse() else {
        panic!("not a package");
    };
    let tags = Some("cp311-cp311-any".to_owned());
    let (name, version) = ("p".to_owned(), "1.0".to_owned());
    assert_eq!(
        member.archive,
        Archive::Pypi {
            name,
            version,
            tags
        }
    );
}

#[test]
fn ranges_keep_their_zeros() {
    assert_eq!(
        source::expand("p-{009..011}==1/d_{}/z.{}").unwrap(),
        [
            "p-009==1/d_009/z.009",
            "p-010==1/d_010/z.010",
            "p-011==1/d_011/z.011"
        ]
    );
    for wrong in ["p", "p-{1}", "p-{3..1}", "p-{a..b}", "p-{0..99999999}"] {
        assert!(source::expand(wrong).is_err(), "{wrong}");
    }
}

//! Whisper models: in CTranslate2's form turned into ggml's, in ggml's quantised and checked. Refused
//! without a trace, or a file that the next reader takes.

use interpret_models::{
    convert::{quantize_ggml_q8_0, whisper_ct2_to_ggml},
    fuzzing::check_ggml,
};

use crate::{Input, Scratch, joined, models};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let folder = Scratch::new();
    let template = folder.put("template.bin", input.piece());
    let model = folder.put("model.bin", input.piece());
    let ggml = folder.path().join("ggml.bin");
    // What the check lets through goes to whisper.cpp, which trusts it.
    let _ = check_ggml(&template);
    match whisper_ct2_to_ggml(&model, &template, &ggml, &mut |_| ()) {
        Ok(()) => quantize(&folder, &ggml),
        Err(_) => assert!(!ggml.exists(), "an error leaves no file"),
    }
    quantize(&folder, &template);
    assert!(
        folder.names().iter().all(|name| !name.starts_with('.')),
        "{:?}",
        folder.names()
    );
}

/// Quantises a file; done once more, it must be refused, for its weights are in bytes then.
fn quantize(folder: &Scratch, from: &std::path::Path) {
    let (to, again) = (
        folder.path().join("q8.bin"),
        folder.path().join("again.bin"),
    );
    if quantize_ggml_q8_0(from, &to, &mut |_| ()).is_ok() {
        assert!(quantize_ggml_q8_0(&to, &again, &mut |_| ()).is_err());
        assert!(!again.exists(), "an error leaves no file");
    }
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let files = |model: &[u8]| joined(&[&models::whisper_template(), model]);
    vec![
        files(&models::whisper(false)),
        files(&models::whisper(true)),
        files(&[]),
    ]
}

//! `CTranslate2` Whisper models to ggml.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use half::f16;

use super::super::output::{Output, Progress};
use super::super::{ConvertError, source::Source};
use super::ct2::{Array, Ct2};
use super::ggml::{F16, F32, HEADER, Parameters, TensorHeader, skip_vocabulary};
use super::layout::{Dimensions, Planned, plan};

/// `ftype` of a file whose weights are 16-bit floats.
const MOSTLY_F16: i32 = 1;
/// Numbers in an attention head of every published Whisper model.
const HEAD: usize = 64;

/// Writes a Whisper model of `CTranslate2` (faster-whisper's `model.bin`) as a ggml file for
/// whisper.cpp, with 16-bit weights.
///
/// 16-bit weights come over exactly; 32-bit ones are rounded, 8-bit ones (int8) multiplied out.
/// Mel filters and vocabulary are not in the `CTranslate2` file: they come from `ggml_template`, any
/// ggml Whisper file with the same number of tokens and mel bands (`ggml-tiny.bin` for every
/// multilingual model up to large-v2). Nothing else is taken from it.
///
/// `progress` is called with the fraction done, 0 to 1.
///
/// # Errors
/// If a file cannot be read or written, is no such file, or the two do not belong together.
pub fn whisper_ct2_to_ggml(
    ct2_model_bin: &Path,
    ggml_template: &Path,
    dst: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let model = Ct2::read(Source::open(ct2_model_bin)?)?;
    convert(model, Source::open(ggml_template)?, dst, progress)
}

fn convert<R: Read + Seek>(
    mut model: Ct2<R>,
    mut template: Source<BufReader<File>>,
    dst: &Path,
    report: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let template_parameters = Parameters::read(&mut template)?;
    let tensors_start = skip_vocabulary(&mut template)?;
    let dimensions = dimensions(&model)?;
    let parameters = parameters(&mut model, &dimensions)?;
    let kind = |p: &Parameters| (p.n_vocab, p.n_mels);
    if kind(&parameters) != kind(&template_parameters) {
        return Err(ConvertError::unsupported(
            template.path(),
            format!(
                "it has {} tokens and {} mel bands, but the model {} has {} and {}",
                template_parameters.n_vocab,
                template_parameters.n_mels,
                model.source().path().display(),
                parameters.n_vocab,
                parameters.n_mels
            ),
            "Take a ggml file of the same kind as template: ggml-tiny.bin for multilingual models, \
             ggml-tiny.en.bin for English ones, ggml-large-v3-turbo.bin for large-v3",
        ));
    }

    let mut progress = Progress::new(model.source().length(), report);
    let mut output = Output::create(dst)?;
    output.write(&parameters.to_bytes())?;
    template.seek(HEADER)?;
    let vocabulary = template.bytes(tensors_start - HEADER, "mel filters and vocabulary")?;
    output.write(&vocabulary)?;
    for planned in plan(&dimensions) {
        let array = model.floats(&planned.variable)?;
        output.write(&tensor(&planned, part(&model, &planned, &array)?))?;
        progress.advance(array.bytes / planned.part.1 as u64);
    }
    progress.finish();
    output.finish()
}

/// Finds the sizes of a model in the shapes of its variables.
fn dimensions<R: Read + Seek>(model: &Ct2<R>) -> Result<Dimensions, ConvertError> {
    let shape = |name: &str, rank| {
        let shape = model.shape(name)?;
        let fits = shape.len() == rank && shape.iter().all(|size| (1..1 << 20).contains(size));
        let wrong = || {
            model
                .source()
                .malformed(format!("{name} has the shape {shape:?}"))
        };
        if fits { Ok(shape) } else { Err(wrong()) }
    };
    let layers = |side: &str| {
        (0..)
            .take_while(|i| model.has(&format!("{side}/layer_{i}/ffn/linear_0/weight")))
            .count()
    };
    let embeddings = shape("decoder/embeddings/weight", 2)?;
    Ok(Dimensions {
        vocabulary: embeddings[0],
        width: embeddings[1],
        audio_positions: shape("encoder/position_encodings/encodings", 2)?[0],
        text_positions: shape("decoder/position_encodings/encodings", 2)?[0],
        audio_layers: layers("encoder"),
        text_layers: layers("decoder"),
        mels: shape("encoder/conv1/weight", 3)?[1],
    })
}

fn parameters<R: Read + Seek>(
    model: &mut Ct2<R>,
    of: &Dimensions,
) -> Result<Parameters, ConvertError> {
    let mut heads = |name: &str| {
        if model.has(name) {
            model.integer(name)
        } else if of.width.is_multiple_of(HEAD) {
            Ok((of.width / HEAD) as i32)
        } else {
            Err(ConvertError::unsupported(
                model.source().path(),
                format!("it does not tell its number of attention heads ({name})"),
                "Convert it again with a newer CTranslate2",
            ))
        }
    };
    // All sizes are below 2^20: `dimensions` checked it.
    Ok(Parameters {
        n_vocab: of.vocabulary as i32,
        n_audio_ctx: of.audio_positions as i32,
        n_audio_state: of.width as i32,
        n_audio_head: heads("encoder/num_heads")?,
        n_audio_layer: of.audio_layers as i32,
        n_text_ctx: of.text_positions as i32,
        n_text_state: of.width as i32,
        n_text_head: heads("decoder/num_heads")?,
        n_text_layer: of.text_layers as i32,
        n_mels: of.mels as i32,
        ftype: MOSTLY_F16,
    })
}

/// The planned tensor's share of a variable.
fn part<'a, R: Read + Seek>(
    model: &Ct2<R>,
    planned: &Planned,
    array: &'a Array,
) -> Result<&'a [f32], ConvertError> {
    let (index, parts) = planned.part;
    let mut expected = planned.shape.clone();
    expected[0] *= parts;
    let bias = expected.ends_with(&[1]) && array.shape.len() == 1;
    let expected = &expected[..expected.len() - usize::from(bias)];
    if array.shape != expected {
        return Err(model.source().malformed(format!(
            "{} has the shape {:?}, but {expected:?} fits the other weights",
            planned.variable, array.shape
        )));
    }
    let length = array.values.len() / parts;
    Ok(&array.values[index * length..(index + 1) * length])
}

/// Header and numbers of a tensor, as they stand in the file.
fn tensor(planned: &Planned, values: &[f32]) -> Vec<u8> {
    let header = TensorHeader {
        name: planned.name.clone(),
        dimensions: planned
            .shape
            .iter()
            .rev()
            .map(|&size| size as i32)
            .collect(),
        kind: if planned.half { F16 } else { F32 },
    };
    let mut bytes = header.to_bytes();
    if planned.half {
        bytes.extend(
            values
                .iter()
                .flat_map(|&value| f16::from_f32(value).to_le_bytes()),
        );
    } else {
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes
}

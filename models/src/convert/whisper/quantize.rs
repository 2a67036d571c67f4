//! 8-bit weights for ggml Whisper files.

use std::io::{Read, Seek};
use std::path::Path;

use half::f16;

use super::super::output::{CHUNK, Output, Progress};
use super::super::{ConvertError, source::Source};
use super::ggml::{F16, F32, HEADER, Parameters, Q8_0, TensorHeader, skip_vocabulary};

/// `GGML_FTYPE_MOSTLY_Q8_0` with `GGML_QNT_VERSION` 2 times `GGML_QNT_VERSION_FACTOR`.
const MOSTLY_Q8_0: i32 = 2 * 1000 + 7;
/// Numbers that share a scale.
const BLOCK: usize = 32;
/// Bytes of a block: a 16-bit scale and one byte for each number.
const BLOCK_BYTES: usize = 2 + BLOCK;
/// Matrices by shape, but not weights: whisper.cpp expects them as they are.
const KEPT: [&str; 4] = [
    "encoder.conv1.bias",
    "encoder.conv2.bias",
    "encoder.positional_embedding",
    "decoder.positional_embedding",
];

/// Writes a ggml Whisper file with its weight matrices quantised to 8 bits (ggml's `Q8_0`).
///
/// Each 32 numbers of a row share a 16-bit scale. The bytes are those of whisper.cpp's own
/// `quantize ... q8_0`: convolutions, biases, norms and positions stay as they are.
///
/// `progress` is called with the fraction done, 0 to 1.
///
/// # Errors
/// If a file cannot be read or written, or `src` is no ggml Whisper file with 16- or 32-bit
/// weights.
pub fn quantize_ggml_q8_0(
    src: &Path,
    dst: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    quantize(&mut Source::open(src)?, dst, progress)
}

fn quantize<R: Read + Seek>(
    source: &mut Source<R>,
    dst: &Path,
    report: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let mut parameters = Parameters::read(source)?;
    if ![F32, F16].contains(&parameters.ftype) {
        return Err(ConvertError::unsupported(
            source.path(),
            format!(
                "its weights are quantised already (ftype {})",
                parameters.ftype
            ),
            "Quantise the 16-bit file of the model",
        ));
    }
    parameters.ftype = MOSTLY_Q8_0;
    let tensors_start = skip_vocabulary(source)?;
    source.seek(HEADER)?;
    let mut progress = Progress::new(source.length(), report);
    let mut output = Output::create(dst)?;
    output.write(&parameters.to_bytes())?;
    output.copy(
        source,
        tensors_start - HEADER,
        "mel filters and vocabulary",
        &mut progress,
    )?;
    while source.remaining() > 0 {
        tensor(source, &mut output, &mut progress)?;
    }
    progress.finish();
    output.finish()
}

fn tensor<R: Read + Seek>(
    source: &mut Source<R>,
    output: &mut Output,
    progress: &mut Progress<'_>,
) -> Result<(), ConvertError> {
    let start = source.position();
    let mut header = TensorHeader::read(source)?;
    let width = match header.kind {
        F32 => 4,
        F16 => 2,
        other => {
            let problem = format!("tensor {} has the ggml type {other}", header.name);
            let advice = "Quantise the 16-bit file of the model";
            return Err(ConvertError::unsupported(source.path(), problem, advice));
        }
    };
    let length = header
        .elements()
        .and_then(|elements| elements.checked_mul(width));
    let length = length.ok_or_else(|| {
        source.malformed_at(
            start,
            format!(
                "tensor {} has the dimensions {:?}",
                header.name, header.dimensions
            ),
        )
    })?;
    source.need(length, &format!("tensor {}", header.name))?;
    if header.dimensions.len() != 2 || KEPT.contains(&header.name.as_str()) {
        output.write(&header.to_bytes())?;
        return output.copy(source, length, &header.name, progress);
    }
    if header.dimensions[0] % BLOCK as i32 != 0 {
        return Err(ConvertError::unsupported(
            source.path(),
            format!(
                "rows of tensor {} have {} numbers",
                header.name, header.dimensions[0]
            ),
            "Q8_0 needs a multiple of 32: use the model unquantised",
        ));
    }
    let half = header.kind == F16;
    header.kind = Q8_0;
    output.write(&header.to_bytes())?;
    let mut left = length;
    while left > 0 {
        // CHUNK is a multiple of a block, and so is a row.
        let bytes = source.bytes(left.min(CHUNK), &header.name)?;
        let values: Vec<f32> = if half {
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|&b| f16::from_le_bytes(b).to_f32())
                .collect()
        } else {
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect()
        };
        output.write(
            values
                .as_chunks()
                .0
                .iter()
                .map(block)
                .collect::<Vec<_>>()
                .as_flattened(),
        )?;
        left -= bytes.len() as u64;
        progress.advance(bytes.len() as u64);
    }
    Ok(())
}

/// `quantize_row_q8_0_ref` of ggml for one block.
pub(super) fn block(values: &[f32; BLOCK]) -> [u8; BLOCK_BYTES] {
    let peak = values
        .iter()
        .fold(0f32, |peak, value| peak.max(value.abs()));
    let scale = peak / 127.0;
    // ggml divides by the scale before it is rounded to 16 bits.
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut bytes = [0; BLOCK_BYTES];
    bytes[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for (byte, value) in bytes[2..].iter_mut().zip(values) {
        *byte = ((value * inverse).round() as i8).cast_unsigned();
    }
    bytes
}

//! What is fed damaged input, and what is promised of it (docs/fuzzing.md): each target is a module with a check of one
//! input, and with first inputs. The programs in `fuzz/fuzz_targets` let a fuzzer make inputs, guided by what they
//! reach; the test here damages the first ones by chance.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a broken promise is told"
)]

mod engines;
mod input;
mod models;
mod scratch;
mod translating;

pub mod audio_chunks;
pub mod call_requests;
pub mod evaluation_files;
pub mod glossary_terms;
pub mod model_packages;
pub mod opus_mt_model;
pub mod sentence_splitter;
pub mod session_link;
pub mod session_requests;
pub mod settings_files;
pub mod sound_files;
pub mod spoken_form;
pub mod student_model;
pub mod telephone;
pub mod torch_checkpoint;
pub mod voice_network;
pub mod whisper_files;

use engines::engines;
use input::{Input, joined};
use scratch::{Scratch, block_on};

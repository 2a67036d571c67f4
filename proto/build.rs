//! Compiles `interpret/v1/interpreter.proto` without protoc: protox parses it, tonic generates the
//! services and messages, pbjson their proto3 JSON form.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = protox::compile(["interpret/v1/interpreter.proto"], ["."])?;
    let encoded = descriptors.encode_to_vec();
    fs::write(out.join("interpret_descriptor.bin"), &encoded)?;

    tonic_prost_build::configure().compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .build(&[".interpret.v1"])?;

    println!("cargo:rerun-if-changed=interpret");
    Ok(())
}

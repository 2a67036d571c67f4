//! The `interpret.v1` protocol: messages, gRPC client and server, and their proto3 JSON form.
//!
//! The contract is written in `interpret/v1/interpreter.proto`; everything here is generated from
//! it at build time.

/// Version 1 of the protocol.
pub mod v1 {
    #![allow(
        missing_docs,
        unreachable_pub,
        rust_2018_idioms,
        clippy::all,
        clippy::pedantic
    )]
    tonic::include_proto!("interpret.v1");
    include!(concat!(env!("OUT_DIR"), "/interpret.v1.serde.rs"));

    impl From<interpret_response::Response> for InterpretResponse {
        /// A message without a number.
        fn from(response: interpret_response::Response) -> Self {
            Self {
                response: Some(response),
                number: 0,
            }
        }
    }
}

/// The encoded `FileDescriptorSet`, as gRPC server reflection serves it.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/interpret_descriptor.bin"));

//! The client against a real gRPC server on a real port. One program, which is built once.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod evaluate;
mod exit_codes;
mod file;
mod session;
mod support;

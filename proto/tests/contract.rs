//! The protocol keeps what it has promised, and says what it means: what was released is never changed,
//! every element is documented, and names follow Buf's style guide (lint category STANDARD).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

/// Everything that a client may rely on, one line each.
const RELEASED: &str = include_str!("released.txt");

fn file() -> FileDescriptorProto {
    let set = FileDescriptorSet::decode(interpret_proto::FILE_DESCRIPTOR_SET).unwrap();
    let ours = |file: &FileDescriptorProto| file.package() == "interpret.v1";
    set.file.into_iter().find(ours).unwrap()
}

/// What of the protocol is seen on the wire or in its JSON form.
fn promises(file: &FileDescriptorProto) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for service in &file.service {
        for rpc in &service.method {
            let stream = |streams| if streams { "stream " } else { "" };
            lines.insert(format!(
                "rpc {}.{} ({}{}) -> ({}{})",
                service.name(),
                rpc.name(),
                stream(rpc.client_streaming()),
                rpc.input_type(),
                stream(rpc.server_streaming()),
                rpc.output_type()
            ));
        }
    }
    for message in &file.message_type {
        for field in &message.field {
            let repeated = if field.label() == Label::Repeated {
                "repeated "
            } else {
                ""
            };
            let kind = match field.r#type() {
                Type::Message | Type::Enum => field.type_name().to_owned(),
                kind => format!("{kind:?}").to_lowercase(),
            };
            lines.insert(format!(
                "field {}.{} = {} {repeated}{kind} json {}",
                message.name(),
                field.name(),
                field.number(),
                field.json_name()
            ));
            // A field that enters or leaves a oneof reads the same on the wire, but not in any client's code.
            if let Some(group) = field.oneof_index {
                lines.insert(format!(
                    "oneof {}.{} has {}",
                    message.name(),
                    message.oneof_decl[group as usize].name(),
                    field.name()
                ));
            }
        }
    }
    for list in &file.enum_type {
        for value in &list.value {
            lines.insert(format!(
                "value {}.{} = {}",
                list.name(),
                value.name(),
                value.number()
            ));
        }
    }
    lines
}

#[test]
fn what_was_released_is_never_changed() {
    let now = promises(&file());
    let broken: Vec<&str> = RELEASED
        .lines()
        .filter(|line| !now.contains(*line))
        .collect();
    assert!(
        broken.is_empty(),
        "clients rely on this, and it is gone or different:\n{}",
        broken.join("\n")
    );
}

/// New elements are added to the list when they are released, so that they are kept from then on.
#[test]
fn what_is_new_is_listed() {
    let released: BTreeSet<&str> = RELEASED.lines().collect();
    let now = promises(&file());
    let new: Vec<&str> = now
        .iter()
        .map(String::as_str)
        .filter(|l| !released.contains(l))
        .collect();
    assert!(
        new.is_empty(),
        "add these lines to proto/tests/released.txt, sorted:\n{}",
        new.join("\n")
    );
}

#[test]
fn every_element_is_documented() {
    let file = file();
    let info = file.source_code_info.as_ref().expect("source information");
    let documented: BTreeSet<&[i32]> = info
        .location
        .iter()
        .filter(|place| !place.leading_comments().trim().is_empty())
        .map(|place| place.path.as_slice())
        .collect();
    let mut missing = Vec::new();
    let mut check = |path: &[i32], name: String| {
        if !documented.contains(path) {
            missing.push(name);
        }
    };
    // Field numbers of FileDescriptorProto and its parts: 4 messages, 5 enums, 6 services.
    for (m, message) in (0..).zip(&file.message_type) {
        check(&[4, m], message.name().to_owned());
        for (f, field) in (0..).zip(&message.field) {
            check(
                &[4, m, 2, f],
                format!("{}.{}", message.name(), field.name()),
            );
        }
    }
    for (e, list) in (0..).zip(&file.enum_type) {
        check(&[5, e], list.name().to_owned());
        for (v, value) in (0..).zip(&list.value) {
            check(&[5, e, 2, v], value.name().to_owned());
        }
    }
    for (s, service) in (0..).zip(&file.service) {
        check(&[6, s], service.name().to_owned());
        for (r, rpc) in (0..).zip(&service.method) {
            check(&[6, s, 2, r], rpc.name().to_owned());
        }
    }
    assert!(missing.is_empty(), "without a comment: {missing:?}");
}

fn is_snake(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `SpeechBoundary` as `SPEECH_BOUNDARY`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

#[test]
fn names_follow_the_style_guide() {
    let file = file();
    let message = |message: &DescriptorProto| {
        assert!(is_pascal(message.name()), "{}", message.name());
        for field in &message.field {
            assert!(
                is_snake(field.name()),
                "{}.{}",
                message.name(),
                field.name()
            );
        }
    };
    file.message_type.iter().for_each(message);
    let list = |list: &EnumDescriptorProto| {
        let prefix = screaming(list.name()) + "_";
        for value in &list.value {
            assert!(
                value.name().starts_with(&prefix),
                "{}: {}",
                list.name(),
                value.name()
            );
        }
        assert_eq!(list.value[0].number(), 0);
        assert_eq!(list.value[0].name(), prefix + "UNSPECIFIED");
    };
    file.enum_type.iter().for_each(list);
    for service in &file.service {
        for rpc in &service.method {
            assert!(is_pascal(rpc.name()));
            let own = |suffix: &str| format!(".interpret.v1.{}{suffix}", rpc.name());
            assert_eq!(rpc.input_type(), own("Request"));
            // Listen answers with what the speaker's own client gets.
            let shared = rpc.name() == "Listen";
            assert!(
                shared || rpc.output_type() == own("Response"),
                "{}",
                rpc.name()
            );
        }
    }
}

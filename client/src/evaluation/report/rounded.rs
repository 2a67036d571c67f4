//! Numbers without false precision.

use serde::Serialize;
use serde_json::Value;

/// The value as indented JSON, broken numbers rounded to three places.
///
/// # Errors
///
/// Where the value has no JSON form.
pub fn to_json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(value)?;
    round(&mut value);
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(exact) = number.as_f64() {
                *value = Value::from((exact * 1000.0).round() / 1000.0);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_broken_numbers_are_rounded() {
        let value = serde_json::json!({"a": [1.0 / 3.0, 7], "b": 123_456_789_012_345_u64});
        let json = to_json(&value).unwrap();
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"a": [0.333, 7], "b": 123_456_789_012_345_u64})
        );
    }
}

//! Reading a config's text: JSON, within bounds, with the place of an error.

use serde_json::Value;

/// The longest config text that is read, in bytes. A setting is written by people; what is longer is a mistake.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The deepest nesting of lists and objects that is read; the bound of `serde_json`.
pub const MAX_DEPTH: usize = 127;

/// Why a text is no config.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// Longer than [`MAX_BYTES`].
    #[error("is {0} bytes long, more than the {MAX_BYTES} that a config may have")]
    TooLong(usize),
    /// Not JSON, or nested deeper than [`MAX_DEPTH`]. The message of the parser, which names line and column but
    /// repeats nothing of the text.
    #[error("is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// JSON, but with a key that the parser uses for itself (for numbers of any size), and not as it does. The
    /// parser's message would repeat the value.
    #[error("is not JSON: a key that is reserved at line {line} column {column}")]
    ReservedKey {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("is a JSON {0}, not an object, at line 1 column 1")]
    NotAnObject(&'static str),
}

impl From<serde_json::Error> for TextError {
    fn from(error: serde_json::Error) -> Self {
        // Any value will do, so it is never the data that is wrong, but for that key.
        if error.is_data() {
            Self::ReservedKey { line: error.line(), column: error.column() }
        } else {
            Self::NotJson(error)
        }
    }
}

/// The value that `text` spells: an object, or null where nothing is configured.
///
/// # Errors
/// [`TextError`], with the place.
pub fn parse(text: &str) -> Result<Value, TextError> {
    if text.len() > MAX_BYTES {
        return Err(TextError::TooLong(text.len()));
    }
    let value: Value = serde_json::from_str(text)?;
    let kind = match &value {
        Value::Object(_) | Value::Null => return Ok(value),
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
    };
    Err(TextError::NotAnObject(kind))
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_object_is_read_with_its_keys_in_order() {
        let value = parse(r#"{"b": 1, "a": {"c": [true, null]}}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"b":1,"a":{"c":[true,null]}}"#);
    }

    #[test]
    fn an_integer_of_any_size_keeps_its_digits() {
        assert_eq!(
            parse(r#"{"n": 123456789012345678901234567890}"#).unwrap()["n"].to_string(),
            "123456789012345678901234567890"
        );
    }

    #[test]
    fn text_that_is_not_json_is_refused_with_its_place() {
        assert_eq!(refusal("{\"a\": 1,\n x}"), "is not JSON: key must be a string at line 2 column 2");
        assert!(refusal("").contains("line 1 column 0"));
        assert!(refusal("{} {}").contains("trailing characters at line 1 column 4"));
    }

    #[test]
    fn a_misused_reserved_key_is_refused_without_its_value() {
        let message = refusal(r#"{"pin": {"$serde_json::private::Number": 4711}}"#);
        assert_eq!(message, "is not JSON: a key that is reserved at line 1 column 45");
    }

    #[test]
    fn json_that_is_not_an_object_is_refused_with_its_kind() {
        assert_eq!(refusal("[1]"), "is a JSON list, not an object, at line 1 column 1");
        assert!(refusal("\"x\"").contains("string"));
    }

    #[test]
    fn deep_json_is_refused_not_followed() {
        let depth = 100_000;
        let text = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(refusal(&text).contains("recursion limit exceeded"));
        let fits = MAX_DEPTH - 1;
        parse(&format!("{{\"a\":{}{}}}", "[".repeat(fits), "]".repeat(fits))).unwrap();
    }

    #[test]
    fn huge_text_is_refused_before_it_is_parsed() {
        assert!(refusal(&" ".repeat(MAX_BYTES + 1)).contains("bytes long"));
    }
}

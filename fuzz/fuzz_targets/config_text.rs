//! Any bytes as a config's text: it is read or refused, never a crash. What is read spells itself and is read again
//! alike; it is JSON to a parser that builds nothing, and what a plain `serde_json` reads. What is refused is refused
//! in fixed words: a config holds secrets, so its text has no place in a message.
#![no_main]

use jaseci_svc::runtime::config::text::{MAX_BYTES, TextError, parse};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;

/// All that may stand between "is not JSON: " and the place.
const REASONS: [&str; 18] = [
    "EOF while parsing a list",
    "EOF while parsing an object",
    "EOF while parsing a string",
    "EOF while parsing a value",
    "a key that is reserved",
    "control character (\\u0000-\\u001F) found while parsing a string",
    "expected `\"`",
    "expected `,` or `]`",
    "expected `,` or `}`",
    "expected `:`",
    "expected ident",
    "expected value",
    "invalid escape",
    "invalid number",
    "invalid unicode code point",
    "key must be a string",
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape",
];
const MORE_REASONS: [&str; 3] = ["recursion limit exceeded", "trailing characters", "trailing comma"];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse(text) {
        Ok(value) => {
            assert!(value.is_object() || value.is_null());
            assert_eq!(parse(&value.to_string()).expect("what is read can be read again"), value);
            assert_eq!(parse(&format!("{value:#}")).expect("however it is laid out"), value);
            serde_json::from_str::<IgnoredAny>(text).expect("it is JSON");
            assert_eq!(serde_json::from_str::<Value>(text).expect("serde_json reads it"), value);
        }
        Err(TextError::TooLong(length)) => assert!(length == text.len() && length > MAX_BYTES),
        Err(error) => assert_fixed_words(&error.to_string()),
    }
});

fn assert_fixed_words(message: &str) {
    let (what, place) = message.rsplit_once(" at line ").expect("a refusal names the place");
    let (line, column) = place.split_once(" column ").expect("line and column");
    assert!(line.parse::<usize>().is_ok() && column.parse::<usize>().is_ok(), "{message}");
    if let Some(reason) = what.strip_prefix("is not JSON: ") {
        assert!(REASONS.contains(&reason) || MORE_REASONS.contains(&reason), "{message}");
    } else {
        let kind = what.strip_prefix("is a JSON ").and_then(|rest| rest.strip_suffix(", not an object,"));
        assert!(kind.is_some_and(|kind| ["boolean", "number", "string", "list"].contains(&kind)), "{message}");
    }
}

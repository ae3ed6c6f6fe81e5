//! Any bytes as a manifest: its documents or a refusal, never a crash, and never more or deeper values than the bounds. A refusal
//! names a place in the text; so does each document.
#![no_main]

use jaseci_svc::runtime::manifest::{MAX_DEPTH, MAX_VALUES, Scalar, Value, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let lines = 1 + text.chars().filter(|each| matches!(each, '\n' | '\r')).count();
    match load(text) {
        Ok(documents) => {
            let values: usize = documents.iter().map(|each| measure(&each.value, 0)).sum();
            assert!(values <= MAX_VALUES, "{values} values");
            for each in documents {
                assert!((1..=lines + 1).contains(&each.line) && each.column > 0, "{}:{}", each.line, each.column);
            }
        }
        Err(error) => {
            assert!((1..=lines + 1).contains(&error.line) && error.column > 0, "{error}");
            assert!(!error.reason.is_empty());
        }
    }
});

/// How many values this is; what it holds is looked at on the way.
fn measure(value: &Value, depth: usize) -> usize {
    assert!(depth <= MAX_DEPTH, "aliases written out");
    let below = |value: &Value| measure(value, depth + 1);
    match value {
        Value::Scalar(Scalar::Timestamp(timestamp)) => {
            assert!(timestamp.exists());
            1
        }
        Value::Scalar(_) => 1,
        Value::Binary(text, _) => {
            assert!(text.is_ascii());
            1
        }
        Value::List(items) | Value::Set(items) => 1 + items.iter().map(below).sum::<usize>(),
        Value::Map(pairs) | Value::Pairs(pairs) => {
            1 + pairs.iter().map(|(key, value)| below(key) + below(value)).sum::<usize>()
        }
    }
}

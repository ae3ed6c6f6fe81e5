//! A book that has learned some values masks a text: none of them is left in it, neither as it is nor spelled in JSON,
//! nor a password in a URL.
//!
//! The input is text. Up to the first empty line, each line is `key: value`, a secret to learn. The rest is what is
//! masked, `{0}` to `{9}` standing for the learned values.
#![no_main]

use jaseci_svc::runtime::secrets::{MASK, SecretBook};
use libfuzzer_sys::fuzz_target;

/// Values with fewer characters are masked only where they stand as their key's value.
const SHORTEST_ANYWHERE: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let Ok(input) = std::str::from_utf8(bytes) else { return };
    let (head, body) = input.split_once("\n\n").unwrap_or((input, input));
    let book = SecretBook::default();
    let learned: Vec<&str> = head.lines().filter_map(|line| learn(&book, line)).collect();
    let mut text = body.to_owned();
    for (at, value) in learned.iter().enumerate().take(10) {
        text = text.replace(&format!("{{{at}}}"), value);
    }
    book.learn_urls(&text);

    // A mask put beside other stars may spell a value that is made of them.
    let hidden = learned.iter().filter(|value| value.chars().count() >= SHORTEST_ANYWHERE && !value.contains('*'));
    let masked = book.mask(&text);
    let json = serde_json::Value::from(text.as_str()).to_string();
    let masked_json = book.mask(&json);
    for value in hidden {
        assert!(!masked.contains(value), "{value:?} is left in {masked:?}");
        let spelled = serde_json::Value::from(*value).to_string();
        let spelled = &spelled[1..spelled.len() - 1];
        assert!(!masked_json.contains(spelled), "{value:?} is left in {masked_json:?}");
    }
    assert_no_userinfo(&masked);
});

fn learn<'a>(book: &SecretBook, line: &'a str) -> Option<&'a str> {
    let (key, value) = line.split_once(": ")?;
    book.learn(key, value);
    Some(value)
}

fn assert_no_userinfo(text: &str) {
    for (at, _) in text.match_indices("://") {
        let rest = &text[at + 3..];
        let end = rest.find(|each: char| "/?#\"'<>".contains(each) || each.is_whitespace()).unwrap_or(rest.len());
        if let Some((userinfo, _)) = rest[..end].rsplit_once('@') {
            assert!(userinfo.is_empty() || userinfo == MASK, "{userinfo:?} is left in {text:?}");
        }
    }
}

//! A book that has learned some values masks a text: none of them is left in it, neither as it is nor spelled in JSON,
//! as a Python literal of text or bytes, or percent-encoded, nor a password in a URL.
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
    let is_hidden = |value: &&&str| value.chars().count() >= SHORTEST_ANYWHERE && !value.contains('*');
    for spell in [plainly, as_json, as_python_text, as_python_bytes, percent_encoded] {
        let masked = book.mask(&spell(&text)).into_owned();
        for value in learned.iter().filter(is_hidden).map(|value| spell(value)) {
            assert!(!masked.contains(&value), "{value:?} is left in {masked:?}");
        }
    }
    let masked = book.mask(&text);
    assert_no_userinfo(&masked);
});

fn learn<'a>(book: &SecretBook, line: &'a str) -> Option<&'a str> {
    let (key, value) = line.split_once(": ")?;
    book.learn(key, value);
    Some(value)
}

fn plainly(text: &str) -> String {
    text.to_owned()
}

fn as_json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// As Python's `ascii` writes what it escapes; here everything that is no letter or digit.
fn as_python_text(text: &str) -> String {
    let escaped = |each: char| match u32::from(each) {
        _ if each.is_ascii_alphanumeric() => each.to_string(),
        code @ ..0x100 => format!("\\x{code:02x}"),
        code @ ..0x10000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    text.chars().map(escaped).collect()
}

fn as_python_bytes(text: &str) -> String {
    each_byte(text, |byte| format!("\\x{byte:02x}"))
}

fn percent_encoded(text: &str) -> String {
    each_byte(text, |byte| format!("%{byte:02X}"))
}

fn each_byte(text: &str, escaped: impl Fn(u8) -> String) -> String {
    let spelled = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { escaped(byte) };
    text.bytes().map(spelled).collect()
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

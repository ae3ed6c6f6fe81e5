//! Secrets: which values must not be shown, and taking them out of text.
//!
//! Masking is by value. A config is walked once for values under secret keys ([`SecretBook::learn`]); every text
//! that the runtime makes passes [`SecretBook::mask`].

use super::spelling;
use super::sync::Mutex;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// What stands for a secret in text.
pub const MASK: &str = "***";

/// A key is secret if one whole word of its name is one of these.
const SECRET_WORDS: [&str; 6] = ["pass", "password", "key", "token", "secret", "credential"];

/// Shorter values are masked only where they stand as their key's value: elsewhere they would be chance.
const SHORTEST_ANYWHERE: usize = 4;

/// Whether values under this key are secrets. Words are split at `_`, `-` and capitals; a run of capitals is one
/// word (`API_KEY`), its last capital beginning the next one if small letters follow (`APIKey`).
pub fn is_secret_key(key: &str) -> bool {
    key.split(['_', '-']).any(|part| {
        let mut word_start = 0;
        let chars: Vec<(usize, char)> = part.char_indices().collect();
        for at in 1..chars.len() {
            let (before, here) = (chars[at - 1].1, chars[at].1);
            let small_after = chars.get(at + 1).is_some_and(|(_, after)| after.is_lowercase());
            if here.is_uppercase() && (!before.is_uppercase() || small_after) {
                if is_secret_word(&part[word_start..chars[at].0]) {
                    return true;
                }
                word_start = chars[at].0;
            }
        }
        is_secret_word(&part[word_start..])
    })
}

fn is_secret_word(word: &str) -> bool {
    SECRET_WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret))
}

#[derive(Debug, Default)]
struct Known {
    /// Values to mask anywhere, however they are spelled, the longest first.
    anywhere: Vec<String>,
    seen: HashSet<String>,
    /// Short values with their key.
    as_value: HashSet<(String, String)>,
}

/// The secrets that a process has seen. It grows with every new one and forgets none: a rotated secret may still
/// stand in an old error.
#[derive(Debug, Default)]
pub struct SecretBook {
    known: Mutex<Known>,
}

impl SecretBook {
    /// Notes `value`, found under the secret key `key`.
    pub fn learn(&self, key: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let mut known = self.known.lock();
        if value.chars().count() < SHORTEST_ANYWHERE {
            // Without a key there is nothing to know it by.
            if !key.is_empty() {
                known.as_value.insert((key.to_owned(), value.to_owned()));
            }
        } else if known.seen.insert(value.to_owned()) {
            let at = known.anywhere.partition_point(|other| other.len() >= value.len());
            known.anywhere.insert(at, value.to_owned());
        }
    }

    /// Notes the passwords of the URLs in `text`, which may stand under any key, as they are and as they are meant.
    pub fn learn_urls(&self, text: &str) {
        for (start, end) in userinfos(text) {
            if let Some((_, password)) = text[start..end].split_once(':') {
                self.learn("password", password);
                if let Some(meant) = spelling::percent_decoded(password) {
                    self.learn("password", &meant);
                }
            }
        }
    }

    /// `text` without secrets.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        {
            let known = self.known.lock();
            for secret in &known.anywhere {
                if let Some(changed) = spelling::replaced(&masked, secret, MASK) {
                    masked = Cow::Owned(changed);
                }
            }
            for (key, value) in &known.as_value {
                if let Some(changed) = mask_as_value(&masked, key, value) {
                    masked = Cow::Owned(changed);
                }
            }
        }
        let userinfos = userinfos(&masked);
        if !userinfos.is_empty() {
            let mut changed = masked.into_owned();
            for (start, end) in userinfos.into_iter().rev() {
                changed.replace_range(start..end, MASK);
            }
            masked = Cow::Owned(changed);
        }
        masked
    }

    /// Forgets everything; for tests that begin afresh.
    pub fn clear(&self) {
        *self.known.lock() = Known::default();
    }
}

/// Where the userinfo of each URL in `text` stands: between `://` and the last `@` of the authority.
fn userinfos(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        let authority = text[start..]
            .find(|each: char| matches!(each, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || each.is_whitespace())
            .map_or(text.len(), |end| start + end);
        if let Some(at) = text[start..authority].rfind('@')
            && at > 0
        {
            found.push((start, start + at));
        }
        from = start;
    }
    found
}

/// Masks `value` where it follows `key` as its value, as in `"key": "abc"` or `key=abc`.
fn mask_as_value(text: &str, key: &str, value: &str) -> Option<String> {
    let mut changed = String::new();
    let mut from = 0;
    let mut copied = 0;
    while let Some(at) = text[from..].find(key) {
        from += at + key.len();
        if let Some(found) = value_after_key(&text[from..], value) {
            changed.push_str(&text[copied..from + found.start]);
            changed.push_str(MASK);
            from += found.end;
            copied = from;
        }
    }
    (copied > 0).then(|| changed + &text[copied..])
}

/// Where `value` stands as a value in what follows a key: behind `:` or `=`, spaces and quotes.
fn value_after_key(rest: &str, value: &str) -> Option<Range<usize>> {
    let between = |each: char| each.is_whitespace() || "\"'\\:=".contains(each);
    let gap = rest.len() - rest.trim_start_matches(between).len();
    let separated = rest[..gap].find([':', '='])? + 1;
    // The value may itself begin with a quote or an escape.
    let mut starts = (separated..=gap).filter(|start| rest.is_char_boundary(*start));
    let ends_here = |end: &usize| !rest[*end..].starts_with(char::is_alphanumeric);
    starts.find_map(|start| {
        let end = spelling::length_of(&rest[start..], value).map(|length| start + length);
        end.filter(ends_here).map(|end| start..end)
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_secret_by_whole_words() {
        for key in ["pass", "API_KEY", "apiKey", "APIKey", "client-secret", "accessToken", "DB_PASSWORD", "credential"]
        {
            assert!(is_secret_key(key), "{key}");
        }
        for key in ["monkey", "keyboard", "passenger", "tokens", "host", "bypass", "", "KEYS", "secretary"] {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn a_known_value_is_masked_in_every_spelling() {
        let book = SecretBook::default();
        book.learn("key", "s\"e\\c'r\né");
        let texts = [
            "s\"e\\c'r\né",
            r#"s\"e\\c'r\né"#,
            r#"s\"e\\c'r\n\u00e9"#,
            r#"s"e\\c\'r\n\xc3\xa9"#,
            "s%22e%5Cc'r%0A%C3%A9",
        ];
        for text in texts {
            assert_eq!(book.mask(&format!("<{text}>")), "<***>");
        }
    }

    #[test]
    fn a_longer_secret_goes_before_a_shorter_one_inside_it() {
        let book = SecretBook::default();
        book.learn("key", "abcd");
        book.learn("key", "abcdefgh");
        assert_eq!(book.mask("abcdefgh abcd"), "*** ***");
    }

    #[test]
    fn a_short_value_is_masked_only_as_its_keys_value() {
        let book = SecretBook::default();
        book.learn("pass", "abc");
        assert_eq!(book.mask(r#"{"pass": "abc", "host": "abc"}"#), r#"{"pass": "***", "host": "abc"}"#);
        assert_eq!(book.mask("pass=abc alphabet abc"), "pass=*** alphabet abc");
        assert_eq!(book.mask("pass abc"), "pass abc");
        assert_eq!(book.mask("pass=abcd"), "pass=abcd");
    }

    #[test]
    fn a_short_value_without_a_key_is_masked_nowhere() {
        let book = SecretBook::default();
        book.learn("", "abc");
        assert_eq!(book.mask("abc: abc"), "abc: abc");
    }

    #[test]
    fn userinfo_is_masked_in_any_url() {
        let book = SecretBook::default();
        assert_eq!(book.mask("at redis://me:pw@host/0, http://x/@y"), "at redis://***@host/0, http://x/@y");
        book.learn_urls("redis://me:longer@host");
        assert_eq!(book.mask("AUTH longer"), "AUTH ***");
    }

    #[test]
    fn a_password_is_masked_as_its_url_spells_it_and_as_it_is_meant() {
        let book = SecretBook::default();
        book.learn_urls("redis://me:p%40ss%20word@host");
        assert_eq!(book.mask("p%40ss%20word, p@ss word, p%40ss+word"), "***, ***, ***");
        assert_eq!(book.mask("redis://me:p@ss word"), "redis://me:***");
    }

    #[test]
    fn a_short_value_is_masked_as_its_keys_value_however_it_is_spelled() {
        let book = SecretBook::default();
        book.learn("pass", "\0\u{e9}");
        assert_eq!(book.mask(r#"{"pass": "\u0000\u00e9"}"#), r#"{"pass": "***"}"#);
        assert_eq!(book.mask(r"pass='\x00\xe9'"), "pass='***'");
        book.learn("pass", "\"x");
        assert_eq!(book.mask("pass=\"x"), "pass=***");
    }

    #[test]
    fn text_without_secrets_is_not_copied() {
        assert!(matches!(SecretBook::default().mask("nothing"), Cow::Borrowed(_)));
    }
}

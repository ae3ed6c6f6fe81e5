//! Spellings: a value as JSON, a Python literal or a URL writes it, found again in a text.
//!
//! A text is read in one manner at a time, from every place in it, since nobody says where a literal begins.

use std::ops::Range;

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Every character stands for itself.
    Plain,
    /// After a backslash, as in JSON and in Python's texts: `\n`, `\"`, `\xe9`, `\u00e9`, `\ud83d\ude00`, `\U0001f600`.
    Escaped,
    /// The same, where `\xc3\xa9` are bytes of UTF-8, as in Python's `bytes`.
    EscapedBytes,
    /// `%C3%A9`, bytes of UTF-8, as in a URL.
    Percent,
    /// The same, where `+` is a space, as in a form.
    Form,
}

const MANNERS: [Manner; 5] = [Manner::Plain, Manner::Escaped, Manner::EscapedBytes, Manner::Percent, Manner::Form];

impl Manner {
    /// What a text must have to say something else in this manner than plainly.
    fn mark(self) -> &'static [char] {
        match self {
            Self::Plain => &[],
            Self::Escaped | Self::EscapedBytes => &['\\'],
            Self::Percent => &['%'],
            Self::Form => &['+'],
        }
    }

    /// The character that `text` begins with, and how long it is there. What is no escape stands for itself.
    fn read(self, text: &str) -> Option<(char, usize)> {
        let first = text.chars().next()?;
        let escape = match (first, self) {
            ('\\', Self::Escaped) => escape(text).or_else(|| Some((char::from(hex_byte(text, "\\x")?), 4))),
            ('\\', Self::EscapedBytes) => escape(text).or_else(|| utf8(text, "\\x")),
            ('%', Self::Percent | Self::Form) => utf8(text, "%"),
            ('+', Self::Form) => Some((' ', 1)),
            _ => None,
        };
        escape.or(Some((first, first.len_utf8())))
    }

    /// How much of `text`, from its beginning, says `value`.
    fn length_of(self, text: &str, value: &str) -> Option<usize> {
        value.chars().try_fold(0, |at, expected| {
            let (found, length) = self.read(&text[at..])?;
            (found == expected).then_some(at + length)
        })
    }

    /// Where `text` says `value` first, from `from` on.
    fn find(self, text: &str, value: &str, from: usize) -> Option<Range<usize>> {
        if self == Self::Plain {
            return text[from..].find(value).map(|at| from + at..from + at + value.len());
        }
        let mut starts = text[from..].char_indices().map(|(at, _)| from + at);
        starts.find_map(|start| self.length_of(&text[start..], value).map(|length| start..start + length))
    }
}

/// `text` with `by` wherever it says `value`; `None` if it does nowhere.
pub fn replaced(text: &str, value: &str, by: &str) -> Option<String> {
    let mut changed = None;
    for manner in MANNERS {
        let current = changed.as_deref().unwrap_or(text);
        if manner == Manner::Plain || current.contains(manner.mark()) {
            changed = replaced_in(manner, current, value, by).or(changed);
        }
    }
    changed
}

fn replaced_in(manner: Manner, text: &str, value: &str, by: &str) -> Option<String> {
    let mut changed = String::new();
    let mut copied = 0;
    while let Some(found) = manner.find(text, value, copied) {
        changed.push_str(&text[copied..found.start]);
        changed.push_str(by);
        copied = found.end;
    }
    (copied > 0).then(|| changed + &text[copied..])
}

/// How much of `text`, from its beginning, says `value`, in whatever manner.
pub fn length_of(text: &str, value: &str) -> Option<usize> {
    MANNERS.iter().find_map(|manner| manner.length_of(text, value))
}

/// What a part of a URL stands for; `None` if that is the part itself.
pub fn percent_decoded(part: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut at = 0;
    while let Some((each, length)) = Manner::Percent.read(&part[at..]) {
        decoded.push(each);
        at += length;
    }
    Some(decoded).filter(|decoded| decoded != part)
}

/// An escape of a fixed meaning.
fn escape(text: &str) -> Option<(char, usize)> {
    let plain = |each| Some((each, 2));
    match text[1..].chars().next()? {
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        same @ ('\\' | '"' | '\'' | '/') => plain(same),
        'u' => utf16(text),
        'U' => Some((char::from_u32(hex(text, "\\U", 8)?)?, 10)),
        _ => None,
    }
}

/// One `\uNNNN`, or two that are one character.
fn utf16(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::try_from(hex(text.get(at..)?, "\\u", 4)?).ok();
    let units: Vec<u16> = [unit(0), unit(6)].into_iter().map_while(|unit| unit).collect();
    let first = char::decode_utf16(units).next()?.ok()?;
    Some((first, 6 * first.len_utf16()))
}

/// One character of UTF-8, each of its bytes behind the same prefix.
fn utf8(text: &str, prefix: &str) -> Option<(char, usize)> {
    let length = match hex_byte(text, prefix)? {
        0x00..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        _ => return None,
    };
    let step = prefix.len() + 2;
    let bytes: Vec<u8> = (0..length).map_while(|at| hex_byte(text.get(at * step..)?, prefix)).collect();
    Some((std::str::from_utf8(&bytes).ok()?.chars().next()?, length * step))
}

fn hex_byte(text: &str, prefix: &str) -> Option<u8> {
    u8::try_from(hex(text, prefix, 2)?).ok()
}

/// The number that `text` begins with, of so many hexadecimal digits behind a prefix.
fn hex(text: &str, prefix: &str, digits: usize) -> Option<u32> {
    let number = text.strip_prefix(prefix)?.get(..digits)?;
    // A sign is no digit.
    number.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(number, 16).ok())?
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A value with something for everyone to escape.
    const VALUE: &str = "p\"'\\/\n\u{7f}\u{e9}\u{20ac}\u{1f600} @:z";

    #[test]
    fn every_spelling_is_found_where_it_stands() {
        let spellings = [
            VALUE,
            // json.dumps, as it is by default, with ensure_ascii=False, and as other writers do it.
            r#"p\"'\\/\n\u007f\u00e9\u20ac\ud83d\ude00 @:z"#,
            "p\\\"'\\\\/\\n\u{7f}\u{e9}\u{20ac}\u{1f600} @:z",
            r#"p\"'\\\/\n\u007F\u00E9\u20AC\uD83D\uDE00 @:z"#,
            // repr and ascii of a str, repr of its bytes.
            "p\"\\'\\\\/\\n\\x7f\u{e9}\u{20ac}\u{1f600} @:z",
            r#"p"\'\\/\n\x7f\xe9\u20ac\U0001f600 @:z"#,
            r#"p"\'\\/\n\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 @:z"#,
            // urllib's quote and quote_plus, and without need or in small letters.
            "p%22%27%5C/%0A%7F%C3%A9%E2%82%AC%F0%9F%98%80%20%40%3Az",
            "p%22%27%5C%2F%0A%7F%C3%A9%E2%82%AC%F0%9F%98%80+%40%3Az",
            "%70%22'%5c%2f%0a%7f%c3%a9%e2%82%ac%f0%9f%98%80%20@%3az",
        ];
        for spelling in spellings {
            let text = format!("\\<{spelling}>%{spelling}");
            assert_eq!(replaced(&text, VALUE, "***").as_deref(), Some("\\<***>%***"), "{spelling}");
            assert_eq!(length_of(&text[2..], VALUE), Some(spelling.len()));
        }
    }

    #[test]
    fn a_text_that_says_something_else_is_none() {
        for text in
            ["", "p", "secre", r"secre\", r"secre\x7", r"secre\u00", "secre%7", "secre%+4", "sec ret", r"se\cret"]
        {
            assert_eq!(replaced(text, "secret", "***"), None, "{text}");
        }
        for text in [r"s\ud83d", r"s\ud83dx", r"s\xff", "s%FF", "s%C3x", "s\u{e9}\\"] {
            assert_eq!(replaced(text, "s\u{1f600}", "***"), None, "{text}");
        }
    }

    #[test]
    fn a_spelling_is_found_behind_a_backslash_that_does_not_belong_to_it() {
        assert_eq!(replaced(r"C:\\x00pass", "\0pass", "***").as_deref(), Some(r"C:\***"));
    }

    #[test]
    fn a_part_of_a_url_is_decoded_once() {
        assert_eq!(percent_decoded("p%40s%2540s%C3%A9").as_deref(), Some("p@s%40s\u{e9}"));
        for plain in ["", "pass", "100%", "%zz", "a+b", "%FF"] {
            assert_eq!(percent_decoded(plain), None, "{plain}");
        }
    }
}

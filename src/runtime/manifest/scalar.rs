//! What a plain YAML scalar means, as PyYAML's `SafeLoader` reads it: YAML 1.1, with its octals, sexagesimals,
//! timestamps and many booleans. The rules are those of its resolver, in the same order.

/// The meaning of a scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `~`, `null`, nothing.
    Null,
    /// `true`, `yes`, `on` and their like.
    Bool(bool),
    /// An integer, as digits of a base with an optional sign: of any size.
    Int(Int),
    /// A number with a point, infinity, not a number.
    Float(f64),
    /// A date or a point in time.
    Timestamp(Timestamp),
    /// Any other text.
    Text(String),
}

/// An integer as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    /// One that fits.
    Small(i64),
    /// One that does not: sign and digits included.
    Large {
        /// Digits, after an optional minus.
        digits: String,
        /// 2, 8, 10 or 16.
        base: u32,
    },
}

/// A date, with a time if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// Year, month, day; not checked against the calendar.
    pub date: (u16, u8, u8),
    /// The time of that day.
    pub time: Option<Time>,
}

impl Timestamp {
    /// Whether the calendar and the clock have it.
    pub fn exists(&self) -> bool {
        let (year, month, day) = self.date;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        year > 0 && (1..=days).contains(&day) && self.time.as_ref().is_none_or(Time::exists)
    }
}

/// A time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// Hour, minute, second; not checked against the clock.
    pub clock: (u8, u8, u8),
    /// Microseconds.
    pub micros: u32,
    /// Minutes east of UTC, if a zone is given.
    pub offset: Option<i32>,
}

impl Time {
    fn exists(&self) -> bool {
        let (hour, minute, second) = self.clock;
        let within_a_day = self.offset.is_none_or(|minutes| minutes.abs() < 24 * 60);
        hour < 24 && minute < 60 && second < 60 && within_a_day
    }
}

/// What a plain scalar resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// See [`Scalar::Null`].
    Null,
    /// See [`Scalar::Bool`].
    Bool,
    /// See [`Scalar::Int`].
    Int,
    /// See [`Scalar::Float`].
    Float,
    /// See [`Scalar::Timestamp`].
    Timestamp,
    /// See [`Scalar::Text`].
    Text,
    /// `<<`, which merges mappings where it is a key.
    Merge,
    /// `=`, which has a meaning only as a key.
    Default,
}

/// Resolves a plain scalar.
pub fn resolve(text: &str) -> Kind {
    let Some(first) = text.bytes().next() else { return Kind::Null };
    match first {
        b'<' if text == "<<" => Kind::Merge,
        b'=' if text == "=" => Kind::Default,
        b'~' | b'n' | b'N' if matches!(text, "~" | "null" | "Null" | "NULL") => Kind::Null,
        b'-' | b'+' | b'.' | b'0'..=b'9' => number(text),
        _ if read_bool(text).is_some() && is_evenly_cased(text) => Kind::Bool,
        _ => Kind::Text,
    }
}

fn number(text: &str) -> Kind {
    if is_float(text) {
        Kind::Float
    } else if is_int(text) {
        Kind::Int
    } else if is_timestamp(text) {
        Kind::Timestamp
    } else {
        Kind::Text
    }
}

fn is_evenly_cased(word: &str) -> bool {
    let rest = &word[1..];
    rest.bytes().all(|each| each.is_ascii_lowercase()) || word.bytes().all(|each| each.is_ascii_uppercase())
}

/// The boolean that a word stands for, however it is capitalised.
pub fn read_bool(word: &str) -> Option<bool> {
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    if is("yes") || is("true") || is("on") {
        Some(true)
    } else if is("no") || is("false") || is("off") {
        Some(false)
    } else {
        None
    }
}

/// A cursor over ASCII patterns.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn eat(&mut self, accepts: impl Fn(u8) -> bool) -> bool {
        let accepted = self.0.first().is_some_and(|first| accepts(*first));
        if accepted {
            self.0 = &self.0[1..];
        }
        accepted
    }

    fn eat_while(&mut self, accepts: impl Fn(u8) -> bool) -> usize {
        let mut count = 0;
        while self.eat(&accepts) {
            count += 1;
        }
        count
    }

    fn eat_sign(&mut self) {
        self.eat(|each| each == b'+' || each == b'-');
    }

    fn is_at_end(self) -> bool {
        self.0.is_empty()
    }

    /// One or more of `:[0-5]?[0-9]`, the digits after the first of a number to the base of sixty.
    fn eat_sixties(&mut self) -> bool {
        let mut count = 0;
        while self.0.first() == Some(&b':') {
            let mut ahead = *self;
            ahead.eat(|each| each == b':');
            let digits = ahead.0.iter().take_while(|each| each.is_ascii_digit()).count();
            let fits = digits == 1 || (digits == 2 && (b'0'..=b'5').contains(&ahead.0[0]));
            if !fits {
                return false;
            }
            ahead.0 = &ahead.0[digits..];
            *self = ahead;
            count += 1;
        }
        count > 0
    }
}

fn is_digit_or_line(each: u8) -> bool {
    each.is_ascii_digit() || each == b'_'
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") || is_infinity(text) {
        return true;
    }
    let mut rest = Cursor(text.as_bytes());
    if rest.eat(|each| each == b'.') {
        return rest.eat(|each| each.is_ascii_digit()) && {
            rest.eat_while(is_digit_or_line);
            is_exponent_or_end(rest)
        };
    }
    rest.eat_sign();
    if !rest.eat(|each| each.is_ascii_digit()) {
        return false;
    }
    rest.eat_while(is_digit_or_line);
    let mut sixties = rest;
    if sixties.eat_sixties() {
        return sixties.eat(|each| each == b'.') && {
            sixties.eat_while(is_digit_or_line);
            sixties.is_at_end()
        };
    }
    rest.eat(|each| each == b'.') && {
        rest.eat_while(is_digit_or_line);
        is_exponent_or_end(rest)
    }
}

fn is_infinity(text: &str) -> bool {
    matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF") && text.len() <= 5
}

fn is_exponent_or_end(mut rest: Cursor<'_>) -> bool {
    if rest.is_at_end() {
        return true;
    }
    let signed = rest.eat(|each| each == b'e' || each == b'E') && rest.eat(|each| each == b'+' || each == b'-');
    signed && rest.eat_while(|each| each.is_ascii_digit()) > 0 && rest.is_at_end()
}

fn is_int(text: &str) -> bool {
    let mut rest = Cursor(text.as_bytes());
    rest.eat_sign();
    if rest.eat(|each| each == b'0') {
        if rest.is_at_end() {
            return true;
        }
        let digits: fn(u8) -> bool = match rest.0[0] {
            b'b' => |each| matches!(each, b'0' | b'1' | b'_'),
            b'x' => |each| each.is_ascii_hexdigit() || each == b'_',
            _ => return rest.eat_while(|each| matches!(each, b'0'..=b'7' | b'_')) > 0 && rest.is_at_end(),
        };
        rest.0 = &rest.0[1..];
        return rest.eat_while(digits) > 0 && rest.is_at_end();
    }
    if !rest.eat(|each| each.is_ascii_digit()) {
        return false;
    }
    rest.eat_while(is_digit_or_line);
    rest.is_at_end() || (rest.eat_sixties() && rest.is_at_end())
}

fn is_timestamp(text: &str) -> bool {
    let two_digit_date = text.len() == 10;
    read_timestamp(text).is_some_and(|timestamp| timestamp.time.is_some() || two_digit_date)
}

/// The integer that `text` spells in any of YAML 1.1's ways; `None` if it spells none.
pub fn read_int(text: &str) -> Option<Int> {
    let plain = text.replace('_', "");
    let (minus, rest) = match plain.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (digits, base) = match rest {
        "0" => (rest, 10),
        _ if rest.starts_with("0b") => (&rest[2..], 2),
        _ if rest.starts_with("0x") => (&rest[2..], 16),
        _ if rest.starts_with('0') => (rest, 8),
        _ if rest.contains(':') => return read_sixties(minus, rest),
        _ => (rest, 10),
    };
    if digits.is_empty() || !digits.chars().all(|each| each.is_digit(base)) {
        return None;
    }
    let digits = format!("{minus}{digits}");
    Some(i64::from_str_radix(&digits, base).map_or(Int::Large { digits, base }, Int::Small))
}

fn read_sixties(minus: &str, text: &str) -> Option<Int> {
    let mut value: i128 = 0;
    for part in text.split(':') {
        value = value.checked_mul(60)?.checked_add(part.parse::<u64>().ok()?.into())?;
    }
    let digits = format!("{minus}{value}");
    Some(digits.parse().map_or(Int::Large { digits, base: 10 }, Int::Small))
}

/// The float that `text` spells in any of YAML 1.1's ways; `None` if it spells none.
pub fn read_float(text: &str) -> Option<f64> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (sign, rest) = match plain.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    match rest {
        ".inf" => Some(sign * f64::INFINITY),
        ".nan" => Some(f64::NAN),
        _ if rest.contains(':') => {
            let mut value = 0.0;
            let mut weight = 1.0;
            for part in rest.rsplit(':') {
                value += python_float(part)? * weight;
                weight *= 60.0;
            }
            Some(sign * value)
        }
        _ => Some(sign * python_float(rest)?),
    }
}

/// Digits with a point and an exponent. Rust would also take words.
fn python_float(text: &str) -> Option<f64> {
    let spelled = text.bytes().all(|each| each.is_ascii_digit() || matches!(each, b'.' | b'e' | b'+' | b'-'));
    text.parse().ok().filter(|_| spelled)
}

/// The timestamp that `text` spells; `None` if it spells none.
pub fn read_timestamp(text: &str) -> Option<Timestamp> {
    let mut rest = text;
    let year = take_number(&mut rest, 4, 4)?;
    let month = take_number(strip(&mut rest, '-')?, 1, 2)?;
    let day = take_number(strip(&mut rest, '-')?, 1, 2)?;
    let date = (year, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let time = if rest.is_empty() { None } else { Some(read_time(rest)?) };
    Some(Timestamp { date, time })
}

fn read_time(text: &str) -> Option<Time> {
    let blank = |each: char| each == ' ' || each == '\t';
    let mut rest = match text.strip_prefix(['T', 't']) {
        Some(rest) => rest,
        None if text.starts_with(blank) => text.trim_start_matches(blank),
        None => return None,
    };
    let hour = take_number(&mut rest, 1, 2)?;
    let minute = take_number(strip(&mut rest, ':')?, 2, 2)?;
    let second = take_number(strip(&mut rest, ':')?, 2, 2)?;
    let mut micros = 0;
    if strip(&mut rest, '.').is_some() {
        let digits = rest.len() - rest.trim_start_matches(|each: char| each.is_ascii_digit()).len();
        let fraction = &rest[..digits.min(6)];
        micros = format!("{fraction:0<6}").parse().ok()?;
        rest = &rest[digits..];
    }
    // Blanks alone are no zone and not allowed.
    let offset = if rest.is_empty() { None } else { Some(read_zone(rest.trim_start_matches(blank))?) };
    let clock = (u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, u8::try_from(second).ok()?);
    Some(Time { clock, micros, offset })
}

/// Minutes east of UTC.
fn read_zone(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut rest = &zone[1..];
    let hours = take_number(&mut rest, 1, 2)?;
    let minutes = if rest.is_empty() { 0 } else { take_number(strip(&mut rest, ':')?, 2, 2)? };
    rest.is_empty().then(|| sign * (i32::from(hours) * 60 + i32::from(minutes)))
}

fn strip<'a, 'b>(rest: &'b mut &'a str, expected: char) -> Option<&'b mut &'a str> {
    *rest = rest.strip_prefix(expected)?;
    Some(rest)
}

fn take_number(rest: &mut &str, at_least: usize, at_most: usize) -> Option<u16> {
    let digits = rest.bytes().take(at_most).take_while(u8::is_ascii_digit).count();
    if digits < at_least {
        return None;
    }
    let (number, after) = rest.split_at(digits);
    *rest = after;
    number.parse().ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn assert_kinds(kind: Kind, texts: &[&str]) {
        for text in texts {
            assert_eq!(resolve(text), kind, "{text:?}");
        }
    }

    #[test]
    fn words_resolve_as_in_yaml_1_1() {
        assert_kinds(Kind::Bool, &["yes", "Yes", "YES", "off", "On", "TRUE", "False"]);
        assert_kinds(Kind::Text, &["yEs", "oN", "y", "n", "nuLL", "none", "<", "==", "é"]);
        assert_kinds(Kind::Null, &["", "~", "null", "Null", "NULL"]);
    }

    #[test]
    fn numbers_resolve_as_in_yaml_1_1() {
        assert_kinds(
            Kind::Int,
            &["0", "-1", "+1_000", "0777", "0_", "0b1_0", "0xFF", "1:30", "190:20:30", "12345678901234567890"],
        );
        assert_kinds(
            Kind::Text,
            &["08", "0o7", "1e3", "1:60", "-", "+", "_1", "0x", "0b", "1.5e3", "+.5", "01:30", "1,000"],
        );
        assert_kinds(
            Kind::Float,
            &["1.", "-1.5", ".5", "1.5e+3", "1_0.0_1", "1:30.5", ".inf", "-.INF", ".NaN", "0.", "09."],
        );
        assert_kinds(Kind::Text, &[".", "..5", ".e+3", "++.inf", "-.nan", ".iNf", "1.5.2"]);
    }

    #[test]
    fn values_are_those_of_python() {
        assert_eq!(read_int("0777"), Some(Int::Small(511)));
        assert_eq!(read_int("-0x_FF"), Some(Int::Small(-255)));
        assert_eq!(read_int("190:20:30"), Some(Int::Small(685_230)));
        assert_eq!(read_int("0b_"), None);
        assert_eq!(
            read_int("-99999999999999999999"),
            Some(Int::Large { digits: "-99999999999999999999".into(), base: 10 })
        );
        assert_eq!(read_float("-1_0.5"), Some(-10.5));
        assert_eq!(read_float("1:30.5"), Some(90.5));
        assert_eq!(read_float("-.inf"), Some(f64::NEG_INFINITY));
        assert!(read_float(".nan").is_some_and(f64::is_nan));
        assert_eq!(read_float("infinity"), None);
    }

    #[test]
    fn timestamps_resolve_with_their_parts() {
        assert_kinds(
            Kind::Timestamp,
            &["2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-1-4 2:59:43", "2001-12-14 21:59:43 Z"],
        );
        assert_kinds(
            Kind::Text,
            &[
                "2001-1-14",
                "2001-12-14 ",
                "2001-12-14T21:59",
                "2001-12-14 21:59:43 ",
                "20011-12-14",
                "2001-12-14 21:59:43+5:0",
            ],
        );
        let timestamp = read_timestamp("2001-12-14t21:59:43.1-05:30").unwrap();
        let time = timestamp.time.unwrap();
        assert_eq!(
            (timestamp.date, time.clock, time.micros, time.offset),
            ((2001, 12, 14), (21, 59, 43), 100_000, Some(-330))
        );
    }

    #[test]
    fn keys_with_a_meaning_are_told_apart() {
        assert_kinds(Kind::Merge, &["<<"]);
        assert_kinds(Kind::Default, &["="]);
    }
}

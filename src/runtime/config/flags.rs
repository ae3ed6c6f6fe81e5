//! The two settings that every config may have, `enabled` and `quiet`.

/// What stands in the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw<'a> {
    /// Nothing.
    Absent,
    /// A boolean.
    Bool(bool),
    /// A text; "true" and "false" are read as booleans, however they are capitalised.
    Text(&'a str),
    /// Something else, of this type.
    Other(&'a str),
}

/// A flag that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag:?} is {found}; use true or false")]
pub struct NotAFlag {
    flag: &'static str,
    found: String,
}

/// Reads the flag called `flag`; absent means false.
///
/// # Errors
/// [`NotAFlag`] for what is neither a boolean nor its word. A text is not repeated: it could be a misplaced secret.
pub fn read(flag: &'static str, raw: Raw<'_>) -> Result<bool, NotAFlag> {
    match raw {
        Raw::Absent => Ok(false),
        Raw::Bool(value) => Ok(value),
        Raw::Text(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Raw::Text(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        Raw::Text(_) => Err(NotAFlag { flag, found: "a text that is not a boolean".to_owned() }),
        Raw::Other(kind) => Err(NotAFlag { flag, found: format!("of type {kind}, not a boolean") }),
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn booleans_and_their_words_are_read_and_nothing_is_false() {
        assert_eq!(read("enabled", Raw::Absent), Ok(false));
        assert_eq!(read("enabled", Raw::Bool(true)), Ok(true));
        assert_eq!(read("enabled", Raw::Text("True")), Ok(true));
        assert_eq!(read("enabled", Raw::Text("FALSE")), Ok(false));
    }

    #[test]
    fn anything_else_is_refused_by_type_not_by_value() {
        let message = read("enabled", Raw::Text("sk_live_1")).unwrap_err().to_string();
        assert!(message.contains("\"enabled\"") && !message.contains("sk_live_1"));
        assert!(read("enabled", Raw::Other("int")).unwrap_err().to_string().contains("int"));
    }
}

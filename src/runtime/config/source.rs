//! What a layer of the configuration chain answers. "Absent" and "cannot tell" are different answers.

use crate::runtime::sync::Arc;

/// Which write a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The life of the store's contents: a flush, or a restart without data, begins another.
    pub epoch: Arc<str>,
    /// Grows with every write of the name within an epoch.
    pub number: u64,
}

/// A named text in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: Arc<str>,
    /// Where the layer counts writes.
    pub version: Option<Version>,
}

impl Text {
    /// Whether this is known to have been written after `other`.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        match (&self.version, &other.version) {
            (Some(mine), Some(theirs)) => mine.epoch == theirs.epoch && mine.number > theirs.number,
            _ => false,
        }
    }
}

/// What a shared store says about a name, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has the name.
    Present(Text),
    /// It does not, as of this many writes of the name; `None` if it counts none, or has counted none so far.
    Absent(Option<Version>),
}

/// Why a layer gives no answer. The messages name the server and hold no secret of its address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing is known: it cannot be reached, does not answer in time, or is not ready. Passes by itself.
    #[error("{0}")]
    Unavailable(String),
    /// It answers, and refuses. Somebody has to mend something.
    #[error("{0}")]
    Refused(String),
}

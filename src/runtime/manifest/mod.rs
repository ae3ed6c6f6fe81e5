//! Kubernetes manifests: YAML texts of one or more documents, read as PyYAML's `safe_load_all` reads them, within
//! bounds.
//!
//! The text may come from anywhere, so everything in it is bounded: its size, its depth, and how much its aliases
//! amount to once they are written out.

mod scalar;
mod tree;

pub use scalar::{Int, Scalar, Time, Timestamp};
pub use tree::{Document, Value, load};

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 200;

/// How many values a text may amount to, aliases written out.
pub const MAX_VALUES: usize = 1_000_000;

/// Why a text is no manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct ManifestError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In words; repeats nothing of the text but tags and anchors.
    pub reason: String,
}

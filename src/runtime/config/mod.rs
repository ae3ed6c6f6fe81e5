//! Configuration: named texts, what they may contain, where they are kept.

pub mod flags;
pub mod memory;
pub mod text;

//! Configuration: named texts, what they may contain, where they are kept, and in which order those places are asked.

pub mod cache;
pub mod chain;
pub mod clock;
pub mod flags;
pub mod memory;
pub mod names;
pub mod redis;
pub mod source;
pub mod text;

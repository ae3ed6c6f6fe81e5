//! The core, without Python.
//!
//! Nothing in here blocks on its own: whoever calls says how to wait ([`blocking::Blocking`]), so that the
//! bindings can give the interpreter away, a model checker can explore the wait, and a test can skip it.
//! Locks are held for a few instructions, never while a caller's code runs.

pub mod blocking;
pub mod config;
pub mod daemon;
pub mod events;
pub mod gate;
pub mod lifecycle;
pub mod line;
pub mod manifest;
pub mod process;
pub mod registry;
pub mod roster;
pub mod secrets;
mod spelling;
pub mod state;
pub mod supervision;
pub mod sync;
pub mod tally;
pub mod waits;

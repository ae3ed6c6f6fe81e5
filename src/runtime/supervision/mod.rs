//! Supervision: services start in the order of a graph, are looked after, revived, and given up.
//!
//! Everything here is decided from what is handed in: the time, the randomness and what services say of themselves
//! ([`supervised::Supervised`]). Nothing in here starts, sleeps or calls anybody: [`supervisor::Supervisor`] answers with
//! tasks that its host executes. So a test owns the time, and the model check runs the very types.

pub mod backoff;
pub mod clock;
mod deciding;
pub mod graph;
pub mod health;
mod machine;
mod moving;
mod noticing;
pub mod policy;
pub mod restarts;
pub mod supervised;
pub mod supervisor;
pub mod task;
mod unit;
pub mod watchdog;

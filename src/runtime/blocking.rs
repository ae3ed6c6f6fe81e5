//! How the core waits without knowing what a wait means to its host.

use super::sync::Signal;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// What was waited for has happened.
    Happened,
    /// The time that the caller gives to all its waits together is over.
    TimedOut,
}

/// A caller's way of waiting, with its deadline. The bindings detach from the interpreter and look out for
/// Ctrl-C; the model checker explores.
pub trait Blocking {
    /// What can end a wait from outside, for instance a pending `KeyboardInterrupt`.
    type Interrupt;

    /// Waits for `signal` until the deadline of this object.
    ///
    /// # Errors
    /// The interrupt, if one ended the wait.
    fn wait(&mut self, signal: &Signal) -> Result<Waited, Self::Interrupt>;

    /// The deadline begins anew: what is waited for from now on has not had its time yet.
    fn renew(&mut self);
}

/// A caller's way of doing what takes long without holding up its host: the bindings give the interpreter away.
pub trait Detached {
    /// Does `work`, which touches nothing of the host's.
    fn detached<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T;
}

/// A host that is not held up by anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unhurried;

impl Detached for Unhurried {
    fn detached<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        work()
    }
}

/// Who calls: a thread, or a greenlet on one. Python's `threading.get_ident()`; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(pub u64);

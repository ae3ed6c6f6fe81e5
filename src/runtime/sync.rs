//! The synchronisation primitives of the core, in one place.
//!
//! Normally `parking_lot`'s mutex and the standard library's condition variable; under `--cfg loom` the model
//! checker's, so that the model check runs the very types that are shipped.
//!
//! A [`Mutex`] is only ever locked by a thread that could also be forked from (in Python: one that holds the
//! interpreter), and a waiting thread holds none: so a fork never copies a locked one. The exception, [`Signal`],
//! is locked by waiting threads, and is therefore replaced, not reused, in a forked child. It uses the standard
//! primitives because these keep no process-wide table that a fork could copy half-updated.

#[cfg(not(loom))]
mod primitives {
    pub use parking_lot::MutexGuard;
    pub use std::sync::Arc;
    pub use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    /// A mutual exclusion lock; see the module's rules on who may hold it.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        /// A lock around `value`.
        pub const fn new(value: T) -> Self {
            Self(parking_lot::Mutex::new(value))
        }

        /// Locks. Held for a few instructions only.
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock()
        }

        /// Locks if nobody else does right now.
        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock()
        }

        /// What is in it, for who has it alone.
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut()
        }
    }

    #[derive(Debug, Default)]
    pub(super) struct Flag {
        set: std::sync::Mutex<bool>,
        changed: std::sync::Condvar,
    }

    impl Flag {
        pub(super) fn set(&self) {
            *self.set.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
            self.changed.notify_all();
        }

        pub(super) fn unset(&self) {
            *self.set.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = false;
        }

        pub(super) fn wait(&self, at_most: Option<Duration>) -> bool {
            let set = self.set.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match at_most {
                None => {
                    let waited = self.changed.wait_while(set, |set| !*set);
                    *waited.unwrap_or_else(std::sync::PoisonError::into_inner)
                }
                Some(at_most) => {
                    let waited = self.changed.wait_timeout_while(set, at_most, |set| !*set);
                    *waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
                }
            }
        }
    }
}

#[cfg(loom)]
mod primitives {
    #![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "the checker's locks are never poisoned")]
    pub use loom::sync::MutexGuard;
    pub use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    // The model checker's own `Arc` refuses unsized coercion; reference counts are not what is explored.
    pub use std::sync::Arc;
    use std::time::Duration;

    /// The model's lock.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        /// A lock around `value`.
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        /// Locks.
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }

        /// Locks if nobody else does right now.
        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }

        /// What is in it, for who has it alone.
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap()
        }
    }

    #[derive(Debug, Default)]
    pub(super) struct Flag {
        set: loom::sync::Mutex<bool>,
        changed: loom::sync::Condvar,
    }

    impl Flag {
        pub(super) fn set(&self) {
            *self.set.lock().unwrap() = true;
            self.changed.notify_all();
        }

        pub(super) fn unset(&self) {
            *self.set.lock().unwrap() = false;
        }

        /// Time does not pass in the model: a bounded wait is an unbounded one.
        pub(super) fn wait(&self, _at_most: Option<Duration>) -> bool {
            let mut set = self.set.lock().unwrap();
            while !*set {
                set = self.changed.wait(set).unwrap();
            }
            true
        }
    }
}

pub use primitives::{Arc, AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering};
use std::sync::Weak;
use std::time::Duration;

/// Something that happens once and stays happened: a stop request, the end of a daemon, a gate that opened. Only a
/// request can be taken back.
///
/// Lives as long as anybody holds it. Any number of threads may wait on it.
#[derive(Debug)]
pub struct Signal {
    happened: AtomicBool,
    flag: primitives::Flag,
    /// What happens with it. The standard library's lock: threads that hold no interpreter take it.
    followers: std::sync::Mutex<Vec<Weak<Signal>>>,
}

impl Default for Signal {
    fn default() -> Self {
        Self {
            happened: AtomicBool::new(false),
            flag: primitives::Flag::default(),
            followers: std::sync::Mutex::default(),
        }
    }
}

impl Signal {
    /// A signal that has not happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it happen and wakes who waits; again is allowed and does nothing more.
    pub fn set(&self) {
        self.happened.store(true, Ordering::Release);
        self.flag.set();
        let followers = std::mem::take(&mut *self.followers());
        followers.iter().filter_map(Weak::upgrade).for_each(|follower| follower.set());
    }

    /// From now on `follower` happens when this one does: who waits for either of two signals waits for one that
    /// follows the other.
    pub fn let_follow(&self, follower: &Arc<Self>) {
        self.followers().push(Arc::downgrade(follower));
        // Either this sees that it has happened, or whoever makes it happen sees the follower.
        if self.is_set() {
            follower.set();
        }
    }

    fn followers(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Self>>> {
        self.followers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes it not have happened, as far as nobody has noticed. Whoever sets a signal and takes it back does both
    /// under one lock.
    pub fn take_back(&self) {
        self.happened.store(false, Ordering::Release);
        self.flag.unset();
    }

    /// Whether it has happened. One atomic load.
    pub fn is_set(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }

    /// Waits for it, at most `at_most` (for ever if `None`), and says whether it has happened.
    pub fn wait(&self, at_most: Option<Duration>) -> bool {
        self.is_set() || self.flag.wait(at_most)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_follower_happens_with_what_it_follows_or_at_once_if_that_has_happened() {
        let (first, second, third) = (Signal::new(), Arc::new(Signal::new()), Arc::new(Signal::new()));
        first.let_follow(&second);
        assert!(!second.is_set());
        first.set();
        assert!(second.is_set());
        first.let_follow(&third);
        assert!(third.is_set());
    }
}

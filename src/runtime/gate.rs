//! A gate: held by one caller at a time while it starts, resets, stops or builds something, others wait.
//!
//! A gate is plain data under its user's lock ([`super::lifecycle`], [`super::registry`]), so that "is it free" and
//! "take it" are one step with whatever else that lock guards. The caller that holds it may take it again; a
//! caller may also take it over from a holder that is given up.

use super::blocking::Ident;
use super::sync::{Arc, Signal};
use super::waits::{Cycle, Tag, Waits};
use smallvec::SmallVec;

/// What a gate is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `run` and `post_run`.
    Start,
    /// Everything between two generations, the start of the new one included.
    Reset,
    /// The end of a generation.
    Stop,
    /// A constructor, on behalf of the registry.
    Build,
}

/// What a waiter waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// `run` has ended, well or not.
    Ran,
    /// The gate is free.
    Free,
    /// The gate is free, or another has come to hold it: for those who give each holder its time.
    Turn,
}

/// One taking of the gate. Lives from `take` to `give_back`, also when it was given up meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    pub(super) id: u64,
    pub(super) ident: Ident,
    pub(super) purpose: Purpose,
    pub(super) generation: u64,
}

impl Hold {
    /// A hold that is over: no gate has given it out.
    pub(super) fn of_the_past(ident: Ident, purpose: Purpose) -> Self {
        Self { id: 0, ident, purpose, generation: 0 }
    }
}

#[derive(Debug)]
struct Waiter {
    ident: Ident,
    until: Until,
    signal: Arc<Signal>,
}

/// The gate.
#[derive(Debug)]
pub struct Gate {
    tag: Arc<Tag>,
    /// The holder's stack: it may take the gate again. The last is in force.
    holds: SmallVec<[Hold; 1]>,
    /// Holds that were given up while their holders were still at it.
    given_up: Vec<Hold>,
    waiters: Vec<Waiter>,
    taken: u64,
}

impl Gate {
    /// A free gate.
    pub fn new(tag: Arc<Tag>) -> Self {
        Self { tag, holds: SmallVec::new(), given_up: Vec::new(), waiters: Vec::new(), taken: 0 }
    }

    /// How the graph knows this gate.
    pub fn tag(&self) -> &Arc<Tag> {
        &self.tag
    }

    /// The hold in force.
    pub fn holder(&self) -> Option<&Hold> {
        self.holds.last()
    }

    /// The first hold of whoever holds it. It stays the same as long as the holder does, whatever that one takes
    /// inside.
    pub fn outermost(&self) -> Option<&Hold> {
        self.holds.first()
    }

    /// Whether `ident` holds it.
    pub fn is_held_by(&self, ident: Ident) -> bool {
        self.holds.iter().any(|hold| hold.ident == ident)
    }

    /// Whether this hold has neither been given back nor given up.
    pub fn is_in_force(&self, hold: &Hold) -> bool {
        self.holds.iter().any(|other| other.id == hold.id)
    }

    /// The innermost hold of `ident`, given up or not.
    pub fn innermost_of(&self, ident: Ident) -> Option<&Hold> {
        let in_force = self.holds.iter().rev().find(|hold| hold.ident == ident);
        in_force.or_else(|| self.given_up.iter().rev().find(|hold| hold.ident == ident))
    }

    /// Whether `ident` was given up and is still at it.
    pub fn was_given_up(&self, ident: Ident) -> bool {
        !self.is_held_by(ident) && self.given_up.iter().any(|hold| hold.ident == ident)
    }

    /// Whether anybody still works for a generation before this one.
    pub fn has_late_holders(&self, generation: u64) -> bool {
        !self.given_up.is_empty() || self.holds.iter().any(|hold| hold.generation != generation)
    }

    /// Takes the gate. The caller has made sure that it is free or its own.
    pub fn take(&mut self, waits: &Waits, ident: Ident, purpose: Purpose, generation: u64) -> Hold {
        self.taken += 1;
        let hold = Hold { id: self.taken, ident, purpose, generation };
        self.holds.push(hold);
        self.tag.set_owner(Some(ident));
        waits.hold(ident, &self.tag);
        hold
    }

    /// Gives up whoever holds it; the gate is free then, and its waiters go on waiting for the next holder.
    pub fn give_up_holders(&mut self, waits: &Waits) {
        for hold in &self.holds {
            waits.release(hold.ident, &self.tag);
        }
        self.given_up.extend(self.holds.drain(..));
        self.tag.set_owner(None);
    }

    /// Ends a hold. Returns whether the gate is free now because of that.
    pub fn give_back(&mut self, waits: &Waits, hold: &Hold) -> bool {
        self.given_up.retain(|other| other.id != hold.id);
        let Some(at) = self.holds.iter().position(|other| other.id == hold.id) else { return false };
        self.holds.remove(at);
        waits.release(hold.ident, &self.tag);
        self.tag.set_owner(self.holds.last().map(|hold| hold.ident));
        if self.holds.is_empty() {
            self.wake(waits, None);
        }
        self.holds.is_empty()
    }

    /// Queues `me`.
    ///
    /// # Errors
    /// The cycle that the wait would close.
    pub fn queue(&mut self, waits: &Waits, me: Ident, until: Until) -> Result<Arc<Signal>, Cycle> {
        waits.enter(me, &self.tag)?;
        let signal = Arc::new(Signal::new());
        self.waiters.push(Waiter { ident: me, until, signal: Arc::clone(&signal) });
        Ok(signal)
    }

    /// Takes `me` out of the queue, for a waiter that gave up.
    pub fn unqueue(&mut self, waits: &Waits, me: Ident, signal: &Arc<Signal>) {
        let before = self.waiters.len();
        self.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.signal, signal));
        if self.waiters.len() < before {
            waits.leave(me);
        }
    }

    /// Wakes those who wait for this, or everybody. They leave the graph here, not when they come to run, so that
    /// nobody sees a cycle through a wait that is over.
    pub fn wake(&mut self, waits: &Waits, only: Option<Until>) {
        self.waiters.retain(|waiter| {
            let stays = only.is_some_and(|only| only != waiter.until);
            if !stays {
                waits.leave(waiter.ident);
                waiter.signal.set();
            }
            stays
        });
    }

    /// In a forked child: forgets a holder that is gone, and everything that came with it.
    pub fn bury(&mut self) {
        self.holds.clear();
        self.given_up.clear();
        self.waiters.clear();
        self.tag.set_owner(None);
    }

    /// In a forked child: the other threads are gone, so are their holds and waits. Returns whether one of them
    /// held the gate.
    pub fn keep_only(&mut self, me: Ident) -> bool {
        let lost = self.holds.iter().any(|hold| hold.ident != me);
        self.holds.retain(|hold| hold.ident == me);
        self.given_up.retain(|hold| hold.ident == me);
        self.waiters.clear();
        self.tag.set_owner(self.holds.last().map(|hold| hold.ident));
        lost
    }
}

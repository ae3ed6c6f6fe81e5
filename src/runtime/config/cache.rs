//! The coherent cache: what it serves as fresh is never older than a stated bound.
//!
//! Expected flow of a read: [`CoherentCache::look`] answers, or hands out a [`Ticket`]; the caller fetches, and brings
//! the value back with the ticket ([`CoherentCache::fill`]). Whoever hears of changes tells [`Liveness`].
//!
//! Guarantees: a value fetched before a change was heard of is not served after it. Of fetches that overtake each
//! other none puts an older value over a newer one. Without word from the store for [`LEASE`] nothing is served; nor
//! is, at any time, what was fetched longer ago than [`AGE_BOUND`]. The last value that was seen of a name is kept
//! all the same, for an outage ([`CoherentCache::last`]).
//!
//! Assumption: whoever confirms ([`Liveness::confirm`]) has been told of every change before the moment it names.

use super::clock::{Moment, micros};
use super::names::is_setting;
use crate::runtime::sync::{Arc, AtomicU64, Mutex, Ordering};
use std::collections::HashMap;
use std::time::Duration;

/// How old what is served as fresh may be at most.
pub const COHERENCE_BOUND: Duration = Duration::from_secs(2);

/// How long a value is served without being fetched again, even if no change was heard of: not every way to change
/// Redis is announced (`SWAPDB`, for one). Below what is promised, by what a reader may lose between look and use.
const AGE_BOUND: Duration = Duration::from_millis(1_800);

/// How long after a confirmation values are served.
pub const LEASE: Duration = Duration::from_secs(1);

/// How many names other than settings are kept at most. Those of settings are few, and needed in an outage.
const MAX_OTHERS: usize = 4_096;

/// Whether what is cached may be believed. Shared with the thread that hears of changes, which touches nothing else:
/// these are atomics, so a fork never copies a lock of its.
#[derive(Debug, Default)]
pub struct Liveness {
    generation: AtomicU64,
    live_until: AtomicU64,
}

impl Liveness {
    /// Something has changed in the store: what was fetched before is not served any more.
    pub fn invalidate(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Changes were heard of up to this moment, all of them.
    pub fn confirm(&self, heard_until: Moment) {
        self.live_until.store(heard_until.saturating_add(micros(LEASE)), Ordering::Release);
    }

    /// Changes are not heard of any more.
    pub fn lose(&self) {
        self.live_until.store(0, Ordering::Release);
        self.invalidate();
    }

    /// Whether changes are being heard of.
    pub fn is_live(&self, now: Moment) -> bool {
        now < self.live_until.load(Ordering::Acquire)
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

/// What can be cached.
pub trait Cached: Clone + PartialEq {
    /// Whether this is known to be newer than `other`.
    fn is_newer_than(&self, other: &Self) -> bool;
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    /// Grows with every change of the slot: whoever fetched meanwhile sees that another one was faster.
    stamp: u64,
    /// The generation that it was fetched in; `None`: not to be served.
    generation: Option<u64>,
    asked_at: Moment,
}

/// What was looked for.
#[derive(Debug)]
pub enum Lookup<V> {
    /// Fresh, asked for at this moment.
    Hit(V, Moment),
    /// To be fetched.
    Miss(Ticket),
}

/// The place in time of a fetch. Taken before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    generation: u64,
    /// That of the slot; without one, how many slots had been removed by then.
    stamp: u64,
    had_slot: bool,
    asked_at: Moment,
    live: bool,
}

impl Ticket {
    /// When the fetch began.
    pub fn asked_at(&self) -> Moment {
        self.asked_at
    }
}

#[derive(Debug)]
struct Slots<V> {
    by_name: HashMap<Arc<str>, Slot<V>>,
    removals: u64,
}

/// The last values by name. Lives as long as the layer it belongs to.
#[derive(Debug)]
pub struct CoherentCache<V> {
    liveness: Arc<Liveness>,
    slots: Mutex<Slots<V>>,
}

impl<V: Cached> CoherentCache<V> {
    /// An empty cache that believes `liveness`.
    pub fn new(liveness: Arc<Liveness>) -> Self {
        Self { liveness, slots: Mutex::new(Slots { by_name: HashMap::new(), removals: 0 }) }
    }

    /// The value of a name, or the ticket to fetch it.
    pub fn look(&self, name: &str, now: Moment) -> Lookup<V> {
        let slots = self.slots.lock();
        let generation = self.liveness.generation();
        let live = self.liveness.is_live(now);
        let slot = slots.by_name.get(name);
        match slot {
            Some(slot) if live && slot.generation == Some(generation) && is_young(slot.asked_at, now) => {
                Lookup::Hit(slot.value.clone(), slot.asked_at)
            }
            _ => Lookup::Miss(Ticket {
                generation,
                stamp: slot.map_or(slots.removals, |slot| slot.stamp),
                had_slot: slot.is_some(),
                asked_at: now,
                live,
            }),
        }
    }

    /// Takes over what was fetched with `ticket`: to be served, if nothing has happened since; else at most as the
    /// last value that was seen.
    pub fn fill(&self, name: &Arc<str>, ticket: &Ticket, value: V) {
        let mut slots = self.slots.lock();
        let generation = (ticket.live && self.liveness.generation() == ticket.generation).then_some(ticket.generation);
        let asked_at = ticket.asked_at;
        let same_removals = slots.removals == ticket.stamp;
        match slots.by_name.get_mut(name) {
            Some(slot) if ticket.had_slot && slot.stamp == ticket.stamp => {
                *slot = Slot { value, stamp: slot.stamp + 1, generation, asked_at };
            }
            // Two fetches have overtaken each other, and the store has changed between them. Which of them was later
            // is not for us to guess: the next read asks again.
            Some(slot) if slot.value != value => slot.doubt(value, asked_at),
            None if !ticket.had_slot && same_removals => {
                slots.insert(name, Slot { value, stamp: 1, generation, asked_at });
            }
            Some(_) | None => {}
        }
    }

    /// Notes what this process itself has just made of a name; the next read asks all the same.
    pub fn note(&self, name: &Arc<str>, value: V, now: Moment) {
        let mut slots = self.slots.lock();
        match slots.by_name.get_mut(name) {
            Some(slot) if slot.value.is_newer_than(&value) => slot.doubt(value, now),
            Some(slot) => *slot = Slot { value, stamp: slot.stamp + 1, generation: None, asked_at: now },
            None => slots.insert(name, Slot { value, stamp: 1, generation: None, asked_at: now }),
        }
    }

    /// The last value that was seen of a name, and when it was asked for.
    pub fn last(&self, name: &str) -> Option<(V, Moment)> {
        self.slots.lock().by_name.get(name).map(|slot| (slot.value.clone(), slot.asked_at))
    }

    /// Names with their last values.
    pub fn all(&self) -> Vec<(Arc<str>, V)> {
        self.slots.lock().by_name.iter().map(|(name, slot)| (Arc::clone(name), slot.value.clone())).collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut slots = self.slots.lock();
        slots.removals += 1;
        slots.by_name.clear();
    }
}

impl<V: Cached> Slot<V> {
    /// Is not served before it is fetched again; keeps the later of two values, where that is known.
    fn doubt(&mut self, other: V, asked_at: Moment) {
        self.stamp += 1;
        self.generation = None;
        if other.is_newer_than(&self.value) {
            self.value = other;
            self.asked_at = asked_at;
        }
    }
}

impl<V> Slots<V> {
    fn insert(&mut self, name: &Arc<str>, slot: Slot<V>) {
        if !is_setting(name) && self.by_name.len() >= MAX_OTHERS {
            self.make_room();
        }
        self.by_name.insert(Arc::clone(name), slot);
    }

    /// An application may have a glob for each of its visitors: then those asked for longest ago go.
    fn make_room(&mut self) {
        let others = self.by_name.iter().filter(|(name, _)| !is_setting(name));
        let mut others: Vec<_> = others.map(|(name, slot)| (slot.asked_at, Arc::clone(name))).collect();
        if others.len() >= MAX_OTHERS {
            let (oldest, _, _) = others.select_nth_unstable(MAX_OTHERS / 4);
            for (_, name) in oldest {
                self.by_name.remove(name);
            }
            self.removals += 1;
        }
    }
}

fn is_young(asked_at: Moment, now: Moment) -> bool {
    now.saturating_sub(asked_at) < micros(AGE_BOUND)
}

#[cfg(all(test, not(loom)))]
#[path = "cache_tests.rs"]
mod tests;

//! Who holds which gate and who waits for which: the waits-for graph of a process, to tell a slow start from a
//! deadlock. A cycle is reported to the caller that would close it, before it waits.

use super::blocking::Ident;
use super::sync::{Arc, AtomicU64, Mutex, Ordering};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A gate as the graph sees it: a label for errors and who holds it. Lives as long as its gate.
#[derive(Debug)]
pub struct Tag {
    owner: AtomicU64,
    label: Mutex<Arc<str>>,
}

impl Tag {
    /// The tag of a free gate.
    pub fn new(label: Arc<str>) -> Self {
        Self { owner: AtomicU64::new(0), label: Mutex::new(label) }
    }

    /// What errors call the gate.
    pub fn label(&self) -> Arc<str> {
        Arc::clone(&self.label.lock())
    }

    /// Gives the gate another label.
    pub fn rename(&self, label: Arc<str>) {
        *self.label.lock() = label;
    }

    /// Who holds the gate.
    pub fn owner(&self) -> Option<Ident> {
        Some(self.owner.load(Ordering::Acquire)).filter(|ident| *ident != 0).map(Ident)
    }

    pub(super) fn set_owner(&self, owner: Option<Ident>) {
        self.owner.store(owner.map_or(0, |ident| ident.0), Ordering::Release);
    }
}

/// Waiting would never end: each of these waits for the next, and the last for the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.path())]
pub struct Cycle(pub Vec<Arc<str>>);

impl Cycle {
    /// The cycle in words: `a -> b -> a`.
    pub fn path(&self) -> String {
        self.0.iter().chain(self.0.first()).map(AsRef::as_ref).collect::<Vec<&str>>().join(" -> ")
    }
}

/// How a caller stands to a gate that it finds taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Somebody else holds it.
    Other,
    /// The caller holds it, and nothing taken since.
    Innermost,
    /// The caller holds it, and took others since: coming back to it closes this cycle.
    Around(Cycle),
}

/// Idents are addresses or numbers that nobody chooses, and few: one multiplication spreads them well enough.
#[derive(Debug, Default)]
struct IdentHasher(u64);

impl Hasher for IdentHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The fractional part of the golden ratio; the swap puts the best mixed bits where the table looks.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).swap_bytes();
    }
}

type ByIdent<T> = HashMap<Ident, T, BuildHasherDefault<IdentHasher>>;

#[derive(Debug, Default)]
struct Graph {
    holding: ByIdent<SmallVec<[Arc<Tag>; 1]>>,
    waiting: ByIdent<Arc<Tag>>,
}

/// The graph. One per process.
#[derive(Debug, Default)]
pub struct Waits {
    graph: Mutex<Graph>,
}

impl Waits {
    pub(super) fn hold(&self, me: Ident, tag: &Arc<Tag>) {
        self.graph.lock().holding.entry(me).or_default().push(Arc::clone(tag));
    }

    pub(super) fn release(&self, who: Ident, tag: &Arc<Tag>) {
        let mut graph = self.graph.lock();
        let Some(held) = graph.holding.get_mut(&who) else { return };
        if let Some(at) = held.iter().rposition(|other| Arc::ptr_eq(other, tag)) {
            held.remove(at);
        }
        if held.is_empty() {
            graph.holding.remove(&who);
        }
    }

    pub(super) fn standing(&self, me: Ident, tag: &Arc<Tag>) -> Standing {
        let graph = self.graph.lock();
        let held = graph.holding.get(&me).map_or(&[][..], SmallVec::as_slice);
        match held.iter().rposition(|other| Arc::ptr_eq(other, tag)) {
            None => Standing::Other,
            Some(at) if at + 1 == held.len() => Standing::Innermost,
            Some(at) => {
                let mut around: Vec<&Arc<Tag>> = held[at..].iter().collect();
                // A reset holds its gate once for itself and once for the start in it.
                around.dedup_by(|one, other| Arc::ptr_eq(one, other));
                Standing::Around(Cycle(around.into_iter().map(|tag| tag.label()).collect()))
            }
        }
    }

    /// Whether the graph knows `who` as a holder of the gate. A fork makes it forget.
    pub(super) fn is_held_by(&self, tag: &Arc<Tag>, who: Ident) -> bool {
        let graph = self.graph.lock();
        graph.holding.get(&who).is_some_and(|held| held.iter().any(|other| Arc::ptr_eq(other, tag)))
    }

    /// Notes that `me` is about to wait for `wanted`.
    ///
    /// # Errors
    /// The cycle that this wait would close; nothing is noted then.
    pub(super) fn enter(&self, me: Ident, wanted: &Arc<Tag>) -> Result<(), Cycle> {
        let mut graph = self.graph.lock();
        let mut path = vec![wanted.label()];
        let mut next = Arc::clone(wanted);
        // Every step goes to another waiting caller, so the walk ends after as many as there are.
        for _ in 0..=graph.waiting.len() {
            let Some(owner) = next.owner() else { break };
            if owner == me {
                return Err(Cycle(path));
            }
            let Some(tag) = graph.waiting.get(&owner) else { break };
            next = Arc::clone(tag);
            path.push(next.label());
        }
        graph.waiting.insert(me, Arc::clone(wanted));
        Ok(())
    }

    pub(super) fn leave(&self, who: Ident) {
        self.graph.lock().waiting.remove(&who);
    }

    /// Whether nobody holds and nobody waits; for tests and the model check.
    #[cfg(any(test, loom))]
    pub fn is_idle(&self) -> bool {
        let graph = self.graph.lock();
        graph.holding.is_empty() && graph.waiting.is_empty()
    }

    /// In a forked child: only the forking thread is left.
    pub fn keep_only(&self, me: Ident) {
        let mut graph = self.graph.lock();
        graph.waiting.clear();
        graph.holding.retain(|ident, _| *ident == me);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn tag(label: &str) -> Arc<Tag> {
        Arc::new(Tag::new(label.into()))
    }

    fn held_by(waits: &Waits, ident: Ident, label: &str) -> Arc<Tag> {
        let tag = tag(label);
        tag.set_owner(Some(ident));
        waits.hold(ident, &tag);
        tag
    }

    #[test]
    fn the_wait_that_closes_a_cycle_is_refused_with_its_path() {
        let waits = Waits::default();
        let (one, two, three) = (Ident(1), Ident(2), Ident(3));
        let a = held_by(&waits, one, "a");
        let b = held_by(&waits, two, "b");
        let c = held_by(&waits, three, "c");
        waits.enter(one, &b).unwrap();
        waits.enter(two, &c).unwrap();
        let cycle = waits.enter(three, &a).unwrap_err();
        assert_eq!(cycle.path(), "a -> b -> c -> a");
    }

    #[test]
    fn a_chain_that_ends_is_no_cycle() {
        let waits = Waits::default();
        let b = held_by(&waits, Ident(2), "b");
        waits.enter(Ident(1), &b).unwrap();
        waits.enter(Ident(3), &b).unwrap();
    }

    #[test]
    fn who_left_the_queue_closes_no_cycle() {
        let waits = Waits::default();
        let a = held_by(&waits, Ident(1), "a");
        let b = held_by(&waits, Ident(2), "b");
        waits.enter(Ident(1), &b).unwrap();
        waits.leave(Ident(1));
        waits.enter(Ident(2), &a).unwrap();
    }

    #[test]
    fn coming_back_to_an_outer_gate_is_a_cycle_to_the_innermost_none() {
        let waits = Waits::default();
        let a = held_by(&waits, Ident(1), "a");
        assert_eq!(waits.standing(Ident(1), &a), Standing::Innermost);
        let b = held_by(&waits, Ident(1), "b");
        assert_eq!(waits.standing(Ident(2), &b), Standing::Other);
        let Standing::Around(cycle) = waits.standing(Ident(1), &a) else { panic!("no cycle seen") };
        assert_eq!(cycle.path(), "a -> b -> a");
    }
}

//! The roster: what has been started and must be stopped, in the order of starting.

use super::sync::Mutex;
use std::collections::BTreeMap;

/// A place in the roster.
pub type Place = u64;

#[derive(Debug)]
struct Entries<M> {
    closed: bool,
    next: Place,
    order: BTreeMap<Place, M>,
}

/// The roster of a process. It holds handles that do not keep their service alive.
#[derive(Debug)]
pub struct Roster<M> {
    entries: Mutex<Entries<M>>,
}

/// The runtime was shut down: nothing starts any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service runtime has been shut down")]
pub struct Closed;

impl<M> Default for Roster<M> {
    fn default() -> Self {
        Self { entries: Mutex::new(Entries { closed: false, next: 1, order: BTreeMap::new() }) }
    }
}

impl<M: Clone> Roster<M> {
    /// Enters `member` at the end and gives up its former `place`. Being admitted and being seen by a shutdown is
    /// one step: what starts during a shutdown is either refused here or stopped by it.
    ///
    /// # Errors
    /// [`Closed`] after a shutdown.
    pub fn enter(&self, member: M, place: Option<Place>) -> Result<Place, Closed> {
        let mut entries = self.entries.lock();
        if entries.closed {
            return Err(Closed);
        }
        if let Some(place) = place {
            entries.order.remove(&place);
        }
        let place = entries.next;
        entries.next += 1;
        entries.order.insert(place, member);
        Ok(place)
    }

    /// Moves a member to the end, if it is still there: it finished starting after those that it needs.
    pub fn move_to_end(&self, place: Place) -> Option<Place> {
        let mut entries = self.entries.lock();
        if entries.order.last_key_value().is_some_and(|(last, _)| *last == place) {
            return Some(place);
        }
        let member = entries.order.remove(&place)?;
        let place = entries.next;
        entries.next += 1;
        entries.order.insert(place, member);
        Some(place)
    }

    /// Whether this place is taken still.
    pub fn has(&self, place: Place) -> bool {
        self.entries.lock().order.contains_key(&place)
    }

    /// Strikes a member out.
    pub fn leave(&self, place: Place) {
        self.entries.lock().order.remove(&place);
    }

    /// Refuses everything from now on.
    pub fn close(&self) {
        self.entries.lock().closed = true;
    }

    /// Admits again.
    pub fn open(&self) {
        self.entries.lock().closed = false;
    }

    /// Whether it admits.
    ///
    /// # Errors
    /// [`Closed`] after a shutdown.
    pub fn check_open(&self) -> Result<(), Closed> {
        if self.is_closed() { Err(Closed) } else { Ok(()) }
    }

    /// Whether it refuses.
    pub fn is_closed(&self) -> bool {
        self.entries.lock().closed
    }

    /// Takes out the member that came last.
    pub fn pop_last(&self) -> Option<M> {
        self.entries.lock().order.pop_last().map(|(_, member)| member)
    }

    /// All members, in the order of starting.
    pub fn members(&self) -> Vec<M> {
        self.entries.lock().order.values().cloned().collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn members_leave_in_reverse_order_of_their_last_entry() {
        let roster = Roster::default();
        let a = roster.enter("a", None).unwrap();
        roster.enter("b", None).unwrap();
        roster.move_to_end(a).unwrap();
        assert_eq!([roster.pop_last(), roster.pop_last(), roster.pop_last()], [Some("a"), Some("b"), None]);
    }

    #[test]
    fn a_closed_roster_refuses_until_it_is_opened() {
        let roster = Roster::default();
        roster.close();
        assert_eq!(roster.enter("a", None), Err(Closed));
        roster.open();
        assert!(roster.enter("a", None).is_ok());
    }
}

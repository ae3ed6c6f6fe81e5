//! The event stream: every change of every service's state, in order, kept for those who come late.

use super::state::ServiceState;
use super::sync::{Arc, Mutex, Signal};
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many events are kept for late readers. Older ones are counted as missed.
pub const KEPT_EVENTS: usize = 4096;

/// The wall clock, in seconds since the epoch. For people to read; nothing is decided by it.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// One change of state.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the stream, from 1, without gaps; given by the stream.
    pub number: u64,
    /// The service's name.
    pub service: Arc<str>,
    /// The state that was left.
    pub before: ServiceState,
    /// The state that was entered.
    pub after: ServiceState,
    /// Why, if there is more to say than the states do. Free of secrets.
    pub reason: Option<Arc<str>>,
    /// When, in seconds since the epoch.
    pub when: f64,
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// The next event, and how many before it were lost because the reader was too slow.
    Event(Event, u64),
    /// Nothing yet: the next event will set this signal.
    Nothing(SignalHandle),
}

/// A signal that compares by identity.
#[derive(Debug, Clone)]
pub struct SignalHandle(pub Arc<Signal>);

impl PartialEq for SignalHandle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<Event>,
    last: u64,
    next_event: Option<Arc<Signal>>,
    /// The supervisor's, who is also called for other reasons than an event, which are nobody else's business.
    bell: Option<Arc<Signal>>,
}

/// The stream. One per process; readers keep their own place in it.
#[derive(Debug, Default)]
pub struct EventLog {
    log: Mutex<Log>,
}

impl EventLog {
    /// Appends a change, numbers it, and wakes the readers.
    pub fn record(&self, event: Event) {
        let mut log = self.log.lock();
        log.last += 1;
        let event = Event { number: log.last, ..event };
        if log.kept.len() == KEPT_EVENTS {
            log.kept.pop_front();
        }
        log.kept.push_back(event);
        for signal in [log.next_event.take(), log.bell.take()].into_iter().flatten() {
            signal.set();
        }
    }

    /// What the next event sets, or the next ring. For one listener.
    pub fn listen(&self) -> Arc<Signal> {
        Arc::clone(self.log.lock().bell.get_or_insert_with(Arc::default))
    }

    /// Wakes the listener although there is no event.
    pub fn ring(&self) {
        if let Some(bell) = self.log.lock().bell.take() {
            bell.set();
        }
    }

    /// Wakes the readers although nothing has happened: one of them may want to end.
    pub fn wake(&self) {
        if let Some(signal) = self.log.lock().next_event.take() {
            signal.set();
        }
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.log.lock().last
    }

    /// The event after number `seen`, or what to wait for.
    pub fn read_after(&self, seen: u64) -> Read {
        let mut log = self.log.lock();
        if seen >= log.last {
            let signal = log.next_event.get_or_insert_with(|| Arc::new(Signal::new()));
            return Read::Nothing(SignalHandle(Arc::clone(signal)));
        }
        let oldest = log.last + 1 - log.kept.len() as u64;
        let number = (seen + 1).max(oldest);
        // `number` lies between `oldest` and `last`, so the difference fits and the event is there.
        let at = usize::try_from(number - oldest).unwrap_or_default();
        Read::Event(log.kept[at].clone(), number - seen - 1)
    }

    /// In a forked child: nobody waits any more, and the signal may have been copied while a waiter held its lock.
    pub fn forget_waiters(&self) {
        let mut log = self.log.lock();
        (log.next_event, log.bell) = (None, None);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn record(log: &EventLog, service: &str) {
        let (before, after) = (ServiceState::NotStarted, ServiceState::Started);
        log.record(Event { number: 0, service: service.into(), before, after, reason: None, when: now() });
    }

    fn service_and_missed(read: Read) -> (String, u64) {
        match read {
            Read::Event(event, missed) => (event.service.to_string(), missed),
            Read::Nothing(_) => panic!("no event"),
        }
    }

    #[test]
    fn a_late_reader_replays_in_order() {
        let log = EventLog::default();
        record(&log, "a");
        record(&log, "b");
        assert_eq!(service_and_missed(log.read_after(0)), ("a".into(), 0));
        assert_eq!(service_and_missed(log.read_after(1)), ("b".into(), 0));
    }

    #[test]
    fn a_reader_at_the_end_is_woken_by_the_next_event() {
        let log = EventLog::default();
        let Read::Nothing(SignalHandle(signal)) = log.read_after(log.last()) else { panic!("an event") };
        assert!(!signal.is_set());
        record(&log, "a");
        assert!(signal.is_set());
    }

    #[test]
    fn what_was_overwritten_is_counted() {
        let log = EventLog::default();
        for number in 0..KEPT_EVENTS + 3 {
            record(&log, &number.to_string());
        }
        assert_eq!(service_and_missed(log.read_after(0)), ("3".into(), 3));
        assert_eq!(service_and_missed(log.read_after(1)), ("3".into(), 2));
    }
}

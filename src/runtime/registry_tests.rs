//! One fact per test. What other callers do is scripted into the waits of the one that is tested.
#![allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]

use super::*;
use crate::runtime::lifecycle::{Asked, Lifecycle};
use crate::runtime::sync::Signal;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const ME: Ident = Ident(1);
const OTHER: Ident = Ident(2);
const THIRD: Ident = Ident(3);

/// A caller that must not have to wait.
struct Never;

impl Blocking for Never {
    type Interrupt = Infallible;
    fn wait(&mut self, _: &Signal) -> Result<Waited, Infallible> {
        panic!("this caller waits");
    }
    fn renew(&mut self) {}
}

/// A caller whose deadline is over as soon as it has to wait.
struct TimesOut;

impl Blocking for TimesOut {
    type Interrupt = Infallible;
    fn wait(&mut self, _: &Signal) -> Result<Waited, Infallible> {
        Ok(Waited::TimedOut)
    }
    fn renew(&mut self) {}
}

/// While this caller waits, others do this; then it looks whether that was what it waited for.
struct Meanwhile<F>(F);

impl<F: FnMut()> Blocking for Meanwhile<F> {
    type Interrupt = &'static str;
    fn wait(&mut self, signal: &Signal) -> Result<Waited, &'static str> {
        (self.0)();
        if signal.is_set() { Ok(Waited::Happened) } else { Err("interrupted") }
    }
    fn renew(&mut self) {}
}

#[derive(Default)]
struct Registry {
    process: Arc<Process<&'static str>>,
    slots: Slots,
}

impl Registry {
    fn begin<B: Blocking>(&self, name: &str, me: Ident, mut blocking: B) -> Result<Turn, Refused<B::Interrupt>> {
        self.slots.begin(&self.process, &name.into(), me, &mut blocking)
    }

    fn construct(&self, name: &str, me: Ident) -> Construction {
        match self.begin(name, me, Never) {
            Ok(Turn::Construct(turn)) => turn,
            other => panic!("no right to construct: {other:?}"),
        }
    }

    fn end(&self, turn: Construction) {
        self.slots.end(&self.process, turn);
    }

    fn assert_idle(&self) {
        assert!(self.process.waits.is_idle() && self.slots.building.lock().is_empty());
    }
}

fn cycle<I: std::fmt::Debug>(refused: Result<Turn, Refused<I>>) -> String {
    match refused {
        Err(Refused::Cycle(cycle)) => cycle.path(),
        other => panic!("no cycle: {other:?}"),
    }
}

#[test]
fn whoever_comes_first_constructs() {
    let registry = Registry::default();
    let turn = registry.construct("a", ME);
    registry.end(turn);
    registry.assert_idle();
}

#[test]
fn names_are_constructed_independently() {
    let registry = Registry::default();
    let a = registry.construct("a", ME);
    let b = registry.construct("b", OTHER);
    registry.end(a);
    registry.end(b);
    registry.assert_idle();
}

#[test]
fn whoever_comes_second_waits_and_looks_again() {
    let registry = Registry::default();
    let mut turn = Some(registry.construct("a", OTHER));
    let again = registry.begin("a", ME, Meanwhile(|| registry.end(turn.take().unwrap())));
    assert!(matches!(again, Ok(Turn::LookAgain)), "{again:?}");
    registry.assert_idle();
}

#[test]
fn of_those_who_look_again_after_a_failure_one_tries_and_the_others_wait_for_it() {
    let registry = Registry::default();
    let mut failed = Some(registry.construct("a", OTHER));
    registry.begin("a", ME, Meanwhile(|| registry.end(failed.take().unwrap()))).unwrap();
    let mut again = Some(registry.construct("a", ME));
    let third = registry.begin("a", THIRD, Meanwhile(|| registry.end(again.take().unwrap())));
    assert!(matches!(third, Ok(Turn::LookAgain)));
    registry.assert_idle();
}

#[test]
fn a_constructor_that_needs_itself_is_refused_with_the_cycle() {
    let registry = Registry::default();
    let _turn = registry.construct("a", ME);
    assert_eq!(cycle(registry.begin("a", ME, Never)), "a -> a");
    let _inner = registry.construct("b", ME);
    assert_eq!(cycle(registry.begin("a", ME, Never)), "a -> b -> a");
}

#[test]
fn constructors_on_two_threads_that_need_each_other_are_refused_with_the_cycle() {
    let registry = Registry::default();
    let mut a = Some(registry.construct("a", ME));
    let b = registry.construct("b", OTHER);
    let other = registry.begin(
        "a",
        OTHER,
        Meanwhile(|| {
            assert_eq!(cycle(registry.begin("b", ME, Never)), "b -> a -> b");
            registry.end(a.take().unwrap());
        }),
    );
    assert!(matches!(other, Ok(Turn::LookAgain)));
    registry.end(b);
    registry.assert_idle();
}

#[test]
fn a_constructor_and_a_start_that_need_each_other_are_refused_with_the_cycle() {
    let registry = Registry::default();
    let life = Lifecycle::new(Arc::clone(&registry.process), "service", "service".into());
    life.write(None, |flags| flags.enabled(true));
    let mut start = life.begin_start(ME, Asked::Explicitly, &mut Never).unwrap();
    let turn = registry.construct("a", OTHER);
    let mut other = Meanwhile(|| {
        assert_eq!(cycle(registry.begin("a", ME, Never)), "a -> service -> a");
        life.end(&start.take().unwrap());
    });
    assert!(life.begin_start(OTHER, Asked::Explicitly, &mut other).unwrap().is_none());
    registry.end(turn);
    registry.assert_idle();
}

#[test]
fn a_wait_that_times_out_names_who_constructs_and_leaves_the_queue() {
    let registry = Registry::default();
    let turn = registry.construct("a", OTHER);
    let refused = registry.begin("a", ME, TimesOut);
    assert!(matches!(refused, Err(Refused::TimedOut(OTHER))), "{refused:?}");
    registry.end(turn);
    registry.assert_idle();
}

#[test]
fn an_interrupted_wait_leaves_the_queue() {
    let registry = Registry::default();
    let turn = registry.construct("a", OTHER);
    let refused = registry.begin("a", ME, Meanwhile(|| {}));
    assert!(matches!(refused, Err(Refused::Interrupted("interrupted"))));
    registry.end(turn);
    registry.assert_idle();
}

#[test]
fn a_deadline_that_is_over_just_after_the_end_is_none() {
    struct TooLate<F>(F);
    impl<F: FnMut()> Blocking for TooLate<F> {
        type Interrupt = Infallible;
        fn wait(&mut self, _: &Signal) -> Result<Waited, Infallible> {
            (self.0)();
            Ok(Waited::TimedOut)
        }
        fn renew(&mut self) {}
    }
    let registry = Registry::default();
    let mut turn = Some(registry.construct("a", OTHER));
    // By then a third caller even constructs again.
    let again = registry.begin(
        "a",
        ME,
        TooLate(|| {
            registry.end(turn.take().unwrap());
            registry.construct("a", THIRD);
        }),
    );
    assert!(matches!(again, Ok(Turn::LookAgain)));
}

#[test]
fn many_threads_construct_once_and_one_more_time_for_each_failure() {
    struct Real;
    impl Blocking for Real {
        type Interrupt = Infallible;
        fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
            assert!(signal.wait(Some(Duration::from_secs(20))), "nobody woke this caller");
            Ok(Waited::Happened)
        }
        fn renew(&mut self) {}
    }
    const FAILURES: usize = 3;
    let registry = Registry::default();
    let kept = Mutex::new(None);
    let constructed = AtomicUsize::new(0);
    let get = |me: Ident| loop {
        if let Some(kept) = *kept.lock() {
            return Some(kept);
        }
        let Turn::Construct(turn) = registry.begin("a", me, Real).unwrap() else { continue };
        let found = *kept.lock();
        let mine = found.or_else(|| {
            let number = constructed.fetch_add(1, Ordering::SeqCst);
            let made = Some(number).filter(|number| *number >= FAILURES);
            *kept.lock() = made;
            made
        });
        registry.end(turn);
        return mine;
    };
    let got: Vec<_> = thread::scope(|scope| {
        let get = &get;
        let threads: Vec<_> = (1..=16).map(|ident| scope.spawn(move || get(Ident(ident)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(got.iter().filter(|got| got.is_none()).count(), FAILURES);
    assert!(got.iter().flatten().all(|number| *number == FAILURES));
    registry.assert_idle();
}

#[test]
fn in_a_forked_child_only_its_own_construction_goes_on() {
    let registry = Registry::default();
    let own = registry.construct("a", ME);
    registry.construct("b", OTHER);
    registry.process.keep_only(ME);
    registry.slots.keep_only(ME);
    let anew = registry.construct("b", ME);
    registry.end(anew);
    registry.end(own);
    registry.assert_idle();
}

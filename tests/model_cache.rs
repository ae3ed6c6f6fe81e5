//! The model check of the coherent cache: fetches against what is heard of changes, against a lost link, against each
//! other, in every interleaving, on the very types that are shipped. See `tests/model.rs`.
//!
//! A store stands in for Redis: a value that grows with every write. Hearing of a change is a step of its own, after the
//! write and before whatever else the link does, as Redis pushes it.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]

use jaseci_svc::runtime::config::cache::{Cached, CoherentCache, Liveness, Lookup};
use jaseci_svc::runtime::sync::{Arc, Mutex};
use loom::thread;

/// Switches of a thread that could go on, in models of three.
const PREEMPTIONS_OF_THREE: usize = 3;
const NAME: &str = "A_CONFIG";

/// A value that says when it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counted(u64);

/// One that does not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Plain(u64);

impl Cached for Counted {
    fn is_newer_than(&self, other: &Self) -> bool {
        self.0 > other.0
    }
}

impl Cached for Plain {
    fn is_newer_than(&self, _: &Self) -> bool {
        false
    }
}

trait Written: Cached + std::fmt::Debug + Copy + Send + 'static {
    fn new(number: u64) -> Self;
    fn number(self) -> u64;
}

impl Written for Counted {
    fn new(number: u64) -> Self {
        Self(number)
    }
    fn number(self) -> u64 {
        self.0
    }
}

impl Written for Plain {
    fn new(number: u64) -> Self {
        Self(number)
    }
    fn number(self) -> u64 {
        self.0
    }
}

struct World<V> {
    store: Mutex<u64>,
    liveness: Arc<Liveness>,
    cache: CoherentCache<V>,
}

impl<V: Written> World<V> {
    fn tracked() -> Arc<Self> {
        let liveness = Arc::new(Liveness::default());
        liveness.confirm(0);
        Arc::new(Self { store: Mutex::new(0), cache: CoherentCache::new(Arc::clone(&liveness)), liveness })
    }

    /// Somebody else writes, and the link hears of it.
    fn write_elsewhere(&self) {
        *self.store.lock() += 1;
        self.liveness.invalidate();
    }

    /// Somebody else writes, and nobody hears of it.
    fn write_unheard(&self) {
        *self.store.lock() += 1;
    }

    /// This process writes: what it read before is out of date before it says that it has written.
    fn write_here(&self) -> u64 {
        let written = {
            let mut store = self.store.lock();
            *store += 1;
            *store
        };
        self.liveness.invalidate();
        self.cache.note(&NAME.into(), V::new(written), 0);
        written
    }

    fn read(&self) -> u64 {
        match self.cache.look(NAME, 0) {
            Lookup::Hit(value, _) => value.number(),
            Lookup::Miss(ticket) => {
                let fetched = *self.store.lock();
                self.cache.fill(&NAME.into(), &ticket, V::new(fetched));
                fetched
            }
        }
    }

    fn reads_once(&self) {
        self.read();
    }

    /// Reads that never go back.
    fn reads_twice(&self) {
        let first = self.read();
        let second = self.read();
        assert!(second >= first, "went back from {first} to {second}");
    }

    /// Once everything was heard of, what is served is what the store has.
    fn assert_settled(&self) {
        let truth = *self.store.lock();
        if let Lookup::Hit(value, _) = self.cache.look(NAME, 0) {
            assert_eq!(value.number(), truth, "stale for good");
        }
        assert_eq!(self.read(), truth);
    }

    fn last(&self) -> Option<u64> {
        self.cache.last(NAME).map(|(value, _)| value.number())
    }
}

fn explore(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 100_000;
    builder.check(model);
}

fn in_parallel<V: Written>(world: &Arc<World<V>>, act: impl Fn(&World<V>) + Send + 'static) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || act(&world))
}

#[test]
fn a_fetch_against_a_change_is_never_stale_for_good() {
    explore(None, || {
        let world = World::<Plain>::tracked();
        let reader = in_parallel(&world, World::reads_twice);
        world.write_elsewhere();
        reader.join().unwrap();
        world.assert_settled();
    });
}

fn two_readers_against_a_writer<V: Written>() {
    explore(Some(PREEMPTIONS_OF_THREE), || {
        let world = World::<V>::tracked();
        let readers = [(); 2].map(|()| in_parallel(&world, World::reads_twice));
        world.write_elsewhere();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        world.assert_settled();
    });
}

#[test]
fn fetches_that_overtake_each_other_never_go_back() {
    two_readers_against_a_writer::<Plain>();
    two_readers_against_a_writer::<Counted>();
}

#[test]
fn a_lost_link_is_never_believed_again_by_what_was_fetched_before() {
    explore(None, || {
        let world = World::<Plain>::tracked();
        let reader = in_parallel(&world, World::reads_twice);
        world.liveness.lose();
        world.write_unheard();
        // The link is back: changes are pushed from here on.
        world.liveness.invalidate();
        world.liveness.confirm(0);
        reader.join().unwrap();
        world.assert_settled();
    });
}

#[test]
fn two_readers_across_a_lost_link_never_go_back() {
    explore(Some(PREEMPTIONS_OF_THREE), || {
        let world = World::<Plain>::tracked();
        let readers = [(); 2].map(|()| in_parallel(&world, World::reads_twice));
        world.liveness.lose();
        world.write_unheard();
        world.liveness.invalidate();
        world.liveness.confirm(0);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        world.assert_settled();
    });
}

#[test]
fn what_this_process_has_written_is_read_at_once_whoever_fetches() {
    explore(Some(PREEMPTIONS_OF_THREE), || {
        let world = World::<Counted>::tracked();
        let reader = in_parallel(&world, World::reads_twice);
        let other = in_parallel(&world, World::write_elsewhere);
        let written = world.write_here();
        assert!(world.read() >= written, "its own write is not seen");
        reader.join().unwrap();
        other.join().unwrap();
        world.assert_settled();
    });
}

#[test]
fn the_last_value_that_is_kept_for_an_outage_is_the_latest_that_was_read() {
    explore(Some(PREEMPTIONS_OF_THREE), || {
        let world = World::<Counted>::tracked();
        let seen = Arc::new(Mutex::new(0));
        let readers = [(); 2].map(|()| {
            let seen = Arc::clone(&seen);
            in_parallel(&world, move |world| {
                let read = world.read();
                let mut seen = seen.lock();
                *seen = read.max(*seen);
            })
        });
        world.write_elsewhere();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(world.last(), Some(*seen.lock()));
    });
}

#[test]
fn nothing_of_before_a_clearing_comes_back() {
    explore(None, || {
        let world = World::<Plain>::tracked();
        let reader = in_parallel(&world, World::reads_once);
        world.write_elsewhere();
        world.cache.clear();
        reader.join().unwrap();
        world.assert_settled();
    });
}

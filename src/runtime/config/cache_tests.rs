use super::*;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Counted(u64);

impl Cached for Counted {
    fn is_newer_than(&self, other: &Self) -> bool {
        self.0 > other.0
    }
}

/// A value that does not say when it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Plain(u64);

impl Cached for Plain {
    fn is_newer_than(&self, _: &Self) -> bool {
        false
    }
}

const NAME: &str = "A_CONFIG";

struct Bench<V> {
    liveness: Arc<Liveness>,
    cache: CoherentCache<V>,
}

impl<V: Cached + std::fmt::Debug> Bench<V> {
    fn live() -> Self {
        let liveness = Arc::new(Liveness::default());
        liveness.confirm(0);
        Self { cache: CoherentCache::new(Arc::clone(&liveness)), liveness }
    }

    fn miss(&self, now: Moment) -> Ticket {
        match self.cache.look(NAME, now) {
            Lookup::Miss(ticket) => ticket,
            Lookup::Hit(value, _) => panic!("{value:?} is served"),
        }
    }

    fn hit(&self, now: Moment) -> V {
        match self.cache.look(NAME, now) {
            Lookup::Hit(value, _) => value,
            Lookup::Miss(_) => panic!("nothing is served"),
        }
    }

    fn fill(&self, ticket: &Ticket, value: V) {
        self.cache.fill(&NAME.into(), ticket, value);
    }

    fn last(&self) -> Option<V> {
        self.cache.last(NAME).map(|(value, _)| value)
    }
}

#[test]
fn a_fetched_value_is_served_until_something_changes() {
    let bench = Bench::live();
    bench.fill(&bench.miss(1), Counted(1));
    assert_eq!(bench.hit(2), Counted(1));
    bench.liveness.invalidate();
    bench.miss(3);
}

#[test]
fn a_value_fetched_before_a_change_is_not_served_after_it() {
    let bench = Bench::live();
    let ticket = bench.miss(1);
    bench.liveness.invalidate();
    bench.fill(&ticket, Counted(1));
    bench.miss(2);
    assert_eq!(bench.last(), Some(Counted(1)));
}

#[test]
fn nothing_is_served_once_the_lease_is_over_and_again_with_a_confirmation() {
    let bench = Bench::live();
    bench.fill(&bench.miss(1), Counted(1));
    let late = micros(LEASE);
    bench.miss(late);
    bench.liveness.confirm(late);
    assert_eq!(bench.hit(late), Counted(1));
}

#[test]
fn a_lost_link_ends_what_was_fetched_even_if_it_comes_back_at_once() {
    let bench = Bench::live();
    bench.fill(&bench.miss(1), Counted(1));
    bench.liveness.lose();
    bench.liveness.confirm(2);
    bench.miss(3);
}

#[test]
fn what_was_fetched_without_a_link_is_not_served() {
    let bench = Bench::live();
    bench.liveness.lose();
    let ticket = bench.miss(1);
    bench.liveness.confirm(1);
    bench.fill(&ticket, Counted(1));
    bench.miss(2);
}

#[test]
fn an_entry_is_asked_for_again_at_the_age_bound_even_while_the_link_is_alive() {
    let bench = Bench::live();
    bench.fill(&bench.miss(1), Counted(1));
    let bound = micros(AGE_BOUND);
    bench.liveness.confirm(bound);
    assert_eq!(bench.hit(bound), Counted(1));
    bench.miss(bound + 1);
}

#[test]
fn of_two_fetches_that_overtake_each_other_neither_is_served() {
    for [first, second] in [[5, 6], [6, 5]] {
        let bench = Bench::live();
        let (one, other) = (bench.miss(1), bench.miss(1));
        bench.fill(&one, Counted(first));
        bench.fill(&other, Counted(second));
        bench.miss(2);
        assert_eq!(bench.last(), Some(Counted(6)), "the later one is kept for an outage");
    }
}

#[test]
fn fetches_that_agree_are_served() {
    let bench = Bench::live();
    let (one, other) = (bench.miss(1), bench.miss(1));
    bench.fill(&one, Plain(5));
    bench.fill(&other, Plain(5));
    assert_eq!(bench.hit(2), Plain(5));
}

#[test]
fn what_this_process_wrote_is_the_last_value_and_is_asked_for_again() {
    let bench = Bench::live();
    bench.fill(&bench.miss(1), Counted(1));
    bench.cache.note(&NAME.into(), Counted(2), 2);
    bench.miss(3);
    assert_eq!(bench.last(), Some(Counted(2)));
    bench.cache.note(&NAME.into(), Counted(1), 4);
    assert_eq!(bench.last(), Some(Counted(2)), "an earlier write that is noted late");
}

#[test]
fn a_fetch_from_before_a_clearing_leaves_no_trace() {
    let bench = Bench::live();
    let ticket = bench.miss(1);
    bench.cache.clear();
    bench.fill(&ticket, Counted(1));
    assert_eq!(bench.last(), None);
}

#[test]
fn other_names_make_room_and_settings_stay() {
    let cache = CoherentCache::new(Arc::new(Liveness::default()));
    cache.note(&NAME.into(), Plain(0), 0);
    for number in 1..=2 * MAX_OTHERS as u64 {
        cache.note(&format!("visitor {number}").into(), Plain(number), number);
    }
    let kept = cache.all();
    assert!(kept.len() <= MAX_OTHERS + 1);
    assert!(cache.last(NAME).is_some() && cache.last(&format!("visitor {}", 2 * MAX_OTHERS)).is_some());
}
